import { version } from "../../package.json";

/** What `landlock-restrict --version` prints. */
export const versionLine = `landlock-restrict ${version}`;

/** What `landlock-restrict -h` prints. */
export const usage = `Usage:
  landlock-restrict [OPTION]... -- COMMAND [ARG]...
  landlock-restrict explain [--json] [OPTION]... -- COMMAND [ARG]...
  landlock-restrict learn -o FILE [-merge] [--json] -- COMMAND [ARG]...
  landlock-restrict plan [--json] [OPTION]...
  landlock-restrict status [--json]

Runs COMMAND, and whatever it starts, with access to the named paths only. Paths are always
restricted; the network is when one of its options is given, signals with -scoped. Of the open
files only standard input, output and error are handed on. explain does the same under strace, and
says in the end what was denied, and which options would allow it. learn runs COMMAND unrestricted,
watches it, and writes the policy that it needs; -merge extends one. plan says what would be asked
of this kernel, and does nothing.

  -ro [+refer] PATH...      read and execute beneath these directories and files
  -rw [+refer] [+ioctl_dev] [+resolve_unix] PATH...
                            read, execute, write, create and remove beneath them
  -rofiles PATH...          read and execute these files, without listing directories
  -rwfiles [+ioctl_dev] [+resolve_unix] PATH...
                            read, execute and write these files
  +ignore_missing           after one of these four: skip paths that do not exist
  -bindtcp PORT...          bind TCP sockets to these ports only (none: to no port)
  -connecttcp PORT...       connect TCP sockets to these ports only
  -bindudp PORT...          bind UDP sockets to these ports only
  -connectudp PORT...       connect and send UDP to these ports only
  -scoped                   signals and abstract UNIX sockets stay inside
  -policy FILE              restrict and allow what this policy says; the other options add to it,
                            -1 ... -11 replace its abi, -strict its bestEffort
  -preset NAME...           what programs need, as bun, dns or executable=git
  -1 ... -11                restrict what this Landlock ABI can (default: -11)
  -strict                   fail where the kernel lacks some of it (default: do without)
  -clearenv                 leave out the environment, but for what -env names
  -env NAME[=VALUE]...      pass this variable on, or set it
  -fd N...                  hand on these open descriptors besides 0, 1 and 2
  -l                        write denials of COMMAND to the audit log (ABI 7)
  -v                        say on stderr what is enforced
  -h                        print this
  --version                 print the version

Exit status: that of COMMAND; 125 if landlock-restrict fails, 126 if COMMAND cannot be
executed, 127 if it is not found.`;
