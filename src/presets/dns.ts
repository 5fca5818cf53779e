/** The preset for looking up host names. */
import { readFileSync } from "node:fs";
import { parse } from "../validate/parse.ts";
import type { CompositeRule } from "../sandbox/rule.ts";
import { bindUdp, composite, connectSendUdp, connectTcp } from "../sandbox/rules.ts";
import { connectable, readable } from "./grant.ts";
import { moduleLibraries } from "./libraries.ts";

/** Settings of `presets.dns()`. */
export interface DnsOptions {
  /** Whether to grant the ports of DNS too; default false. */
  readonly ports?: boolean;
}

const files = [
  "/etc/resolv.conf",
  "/etc/nsswitch.conf",
  "/etc/hosts",
  "/etc/host.conf",
  "/etc/gai.conf",
];

/** Sockets of the daemons that modules of glibc's name service switch ask. */
const sockets: Readonly<Record<string, readonly string[]>> = {
  resolve: ["/run/systemd/resolve/io.systemd.Resolve"],
  myhostname: [],
  mymachines: ["/run/systemd/userdb"],
  mdns: ["/run/avahi-daemon/socket"],
  sss: ["/var/lib/sss/pipes/nss"],
};

/** The modules that `/etc/nsswitch.conf` names for hosts, as `files` and `dns`. */
function hostModules(): string[] {
  let text: string;
  try {
    text = readFileSync("/etc/nsswitch.conf", "utf8");
  } catch {
    return [];
  }
  const line = /^\s*hosts:([^#\n]*)/m.exec(text)?.[1] ?? "";
  return line
    .replaceAll(/\[[^\]]*\]/g, " ")
    .split(/\s+/)
    .filter((name) => /^\w+$/.test(name));
}

/**
 * What looking up host names reads: `/etc/resolv.conf` (or the file it links to), `nsswitch.conf`,
 * `hosts`, `host.conf` and `gai.conf`; the libraries of the modules that `nsswitch.conf` names for
 * hosts, `libnss_*.so.2`, with what they need; the sockets of nscd and of those modules' daemons.
 * Without it a look-up, `localhost` aside, asks a server on this machine, and most often fails
 * with `EAI_AGAIN` or `ETIMEOUT`. ABI 1; the sockets need a right from ABI 9 on.
 *
 * The files are granted as they are now: one that is replaced later, as when a laptop changes the
 * network, is out of reach.
 *
 * These are rules for paths only, so that `restrictPaths()` takes them. Where the network is
 * restricted too, `{ ports: true }` adds TCP and UDP port 53: `connectTcp(53)`, `bindUdp(0)` and
 * `connectSendUdp(0, 53)`; 0, because `getaddrinfo(3)` finds out by it which addresses can be
 * reached. It is for `restrict()` and a Config from `V10` on, best effort below ABI 10.
 *
 * @param options `ports`: whether to grant the ports of DNS too
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where an option is unknown
 * @see {@link https://man7.org/linux/man-pages/man5/nsswitch.conf.5.html}
 */
export function dns(options?: DnsOptions): CompositeRule {
  const { ports = false } =
    options === undefined ? {} : parse("dnsPreset", options, "presets.dns()");
  const modules = hostModules();
  const asked = modules.flatMap((name) => sockets[name.replace(/^mdns.*/, "mdns")] ?? []);
  return composite(
    readable(files),
    readable(moduleLibraries(modules)),
    connectable(["/run/nscd/socket", "/var/run/nscd/socket", ...asked]),
    ...(ports ? [connectTcp(53), bindUdp(0), connectSendUdp(0, 53)] : []),
  );
}
