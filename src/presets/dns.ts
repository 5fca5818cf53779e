/** The preset for looking up host names. */
import { readFileSync } from "node:fs";
import { parse } from "../validate/parse.ts";
import type { CompositeRule } from "../sandbox/rules.ts";
import { bindUdp, composite, connectSendUdp, connectTcp } from "../sandbox/rules.ts";
import { dnsFiles } from "../vocabulary.ts";
import { connectable, readable } from "./grant.ts";
import { moduleLibraries } from "./libraries.ts";

/** Settings of `presets.dns()`. */
export interface DnsOptions {
  /** Whether to grant the ports of DNS too; default false. */
  readonly ports?: boolean;
}

/** The sockets of the daemons that modules of glibc's name service switch ask. */
const sockets: Readonly<Record<string, readonly string[]>> = {
  resolve: ["/run/systemd/resolve/io.systemd.Resolve"],
  myhostname: [],
  mymachines: ["/run/systemd/userdb"],
  mdns: ["/run/avahi-daemon/socket"],
  sss: ["/var/lib/sss/pipes/nss"],
};

/** The modules that `/etc/nsswitch.conf` names for hosts, such as `files` and `dns`. */
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
 * Grants what host name look-ups read. These are `/etc/resolv.conf` (or the file it links to),
 * `nsswitch.conf`, `hosts`, `host.conf` and `gai.conf`. It includes the modules that
 * `nsswitch.conf` names for hosts, `libnss_*.so.2`, with their libraries. It also grants the
 * sockets of nscd and of those modules' daemons. Without it, look-ups other than `localhost` ask a
 * server on this machine and usually fail with `EAI_AGAIN` or `ETIMEOUT`. ABI 1; the sockets need a
 * right from ABI 9 on.
 *
 * It grants the current files. If one is replaced later, for example because a laptop changes
 * networks, the new file isn't granted.
 *
 * By default it returns only rules for paths, which `restrictPaths()` accepts. If the network is
 * restricted too, `{ ports: true }` adds TCP and UDP port 53: `connectTcp(53)`, `bindUdp(0)` and
 * `connectSendUdp(0, 53)`. `getaddrinfo(3)` uses port 0 to find out which addresses are reachable.
 * The ports need `restrict()` and a Config from `V10` on, with best effort below ABI 10.
 *
 * @param options `ports`: whether to grant the ports of DNS too
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if an option is unknown
 * @see {@link https://man7.org/linux/man-pages/man5/nsswitch.conf.5.html}
 */
export function dns(options?: DnsOptions): CompositeRule {
  const { ports = false } =
    options === undefined ? {} : parse("dnsPreset", options, { preset: "dns" });
  const modules = hostModules();
  const asked = modules.flatMap((name) => sockets[name.replace(/^mdns.*/, "mdns")] ?? []);
  return composite(
    readable(dnsFiles),
    readable(moduleLibraries(modules)),
    connectable(["/run/nscd/socket", "/var/run/nscd/socket", ...asked]),
    ...(ports ? [connectTcp(53), bindUdp(0), connectSendUdp(0, 53)] : []),
  );
}
