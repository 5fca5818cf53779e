/** Parses the XML of `bun test --reporter=junit`. */

export interface TestCase {
  /** The name, after those of its groups. */
  readonly name: string;
  readonly result: "passed" | "failed" | "skipped";
  /** Why it failed, or what it needs; empty if it passed. */
  readonly why: string;
  readonly seconds: number;
}

const entities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

function unescape(text: string): string {
  return text.replace(/&(#?\w+);/g, (_, name: string) =>
    name.startsWith("#")
      ? String.fromCodePoint(Number(name.replace("#x", "0x").replace("#", "")))
      : (entities[name] ?? `&${name};`),
  );
}

/** All cases of a report. A skipped case has its reason in brackets at the end of its name. */
export function parseJunit(xml: string): TestCase[] {
  const cases = xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g);
  return [...cases].map(([, attributes = "", body = ""]) => {
    const attribute = (name: string, of = attributes) =>
      unescape(of.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? "");
    const group = attribute("classname");
    const title = group ? `${group} > ${attribute("name")}` : attribute("name");
    const seconds = Number(attribute("time"));
    const failure = body.match(/<failure([^>]*?)(?:\/>|>([\s\S]*?)<\/failure>)/);
    if (failure) {
      const why = unescape(failure[2] ?? "") || attribute("message", failure[1]);
      return { name: title, result: "failed", why: why.trim(), seconds };
    }
    if (!body.includes("<skipped")) return { name: title, result: "passed", why: "", seconds };
    const [, name = title, why = ""] = title.match(/^([\s\S]*) \(([^()]*)\)$/) ?? [];
    return { name, result: "skipped", why, seconds };
  });
}
