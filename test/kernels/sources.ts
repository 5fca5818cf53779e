/** The Debian mirror that this machine's own apt uses; it asks no other. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One source of packages. */
export interface Source {
  readonly uri: string;
  readonly suites: readonly string[];
  /** As in a `.list` file, such as `"[signed-by=/usr/share/…]"`, or empty. */
  readonly options: string;
}

/** Parses the one-line format. */
export function parseList(text: string): Source[] {
  return [...text.matchAll(/^\s*deb\s+(?:(\[[^\]]*\])\s+)?(\S+)\s+(\S+)\s+.*\bmain\b/gm)].map(
    ([, options = "", uri, suite]) => ({ uri: uri!, suites: [suite!], options }),
  );
}

/** Parses the format of `.sources` files. */
export function parseStanzas(text: string): Source[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return lines
    .join("\n")
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const field = (name: string) => {
        const value = stanza.match(new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, "im"))?.[1];
        return (value ?? "").split(/\s+/).filter(Boolean);
      };
      const [uri] = field("URIs");
      const usable =
        field("Types").includes("deb") && field("Components").includes("main") && uri !== undefined;
      if (!usable || field("Enabled")[0] === "no") return [];
      const [key] = field("Signed-By");
      const options = key?.startsWith("/") ? `[signed-by=${key}]` : "";
      return [{ uri, suites: field("Suites"), options }];
    });
}

function sources(): Source[] {
  const apt = "/etc/apt";
  const parts = existsSync(join(apt, "sources.list.d"))
    ? readdirSync(join(apt, "sources.list.d")).map((name) => join(apt, "sources.list.d", name))
    : [];
  return [join(apt, "sources.list"), ...parts.sort()].flatMap((file) => {
    if (!existsSync(file)) return [];
    if (file.endsWith(".list")) return parseList(readFileSync(file, "utf8"));
    return file.endsWith(".sources") ? parseStanzas(readFileSync(file, "utf8")) : [];
  });
}

const releases = /^(bullseye|bookworm|trixie|forky|sid|stable|testing|oldstable)(-|\/|$)/;
const isSecurity = (suite: string) => /[-/]security$|\/updates$/.test(suite);

/**
 * The apt source lines of some suites, from this machine's mirrors.
 *
 * @throws If the machine has no Debian source
 */
export function sourceList(
  suites: readonly string[],
  known: readonly Source[] = sources(),
): string {
  const debian = known.filter((source) => source.suites.some((suite) => releases.test(suite)));
  const lines = suites.flatMap((suite) => {
    const source = debian.find(({ suites }) => suites.some(isSecurity) === isSecurity(suite));
    return source ? [`deb ${source.options} ${source.uri} ${suite} main`] : [];
  });
  if (lines.length === 0) {
    throw new Error("apt's sources in /etc/apt name no mirror of Debian to take kernels from");
  }
  return `${lines.join("\n")}\n`;
}
