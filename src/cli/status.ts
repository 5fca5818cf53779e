/**
 * `landlock-restrict status`: shows what this kernel's Landlock can do, or why it can't be used.
 */
import { abiOf, accessFs, accessNet, abiOfRight, linuxOf, scopes } from "../kernel/abi.ts";
import { notCovered } from "../kernel/probe.ts";
import { probe, rightsOfKernel, usableAbi } from "../kernel/probe.ts";
import type { Screen } from "../terminal/screen.ts";
import { labelled, paint } from "../terminal/text.ts";

/** The whole status as plain data. */
function status() {
  const kernel = probe();
  const abi = usableAbi(kernel);
  const restricts = rightsOfKernel(kernel);
  const has: readonly string[] = [...restricts.fs, ...restricts.net, ...restricts.scoped];
  const errataFixed = [...Array(31).keys()].filter((bit) => kernel.errata & (1 << bit));
  return {
    ...kernel,
    errataFixed: errataFixed.map((bit) => bit + 1),
    restricts,
    lacks: [...accessFs, ...accessNet, ...scopes].filter((right) => !has.includes(right)),
    threads: abi === 0 ? "none" : abi >= abiOf.tsync ? "tsync" : "broadcast",
    auditFlags: abi >= abiOf.logging,
    quietRules: abi >= abiOf.quiet,
    notCovered: notCovered(abi, restricts),
  };
}

const threadsText = {
  tsync: "restricted by the kernel, all at once",
  broadcast: "restricted one by one, by a signal (the kernel does it from ABI 8 on)",
  none: "not restricted",
};

/** The width of the labels below, in columns. */
const gap = 15;

/**
 * The status as text for people, or as JSON.
 *
 * @param screen Where it is shown
 */
export function statusText(json: boolean, screen: Screen): string {
  const now = status();
  if (json) return JSON.stringify(now, null, 2);
  if (now.state !== "enabled") {
    const rows = [
      ["Landlock:", paint("red", now.state, screen)],
      ["Remedy:", now.remedy],
    ] as const;
    return labelled(rows, gap, screen).join("\n");
  }
  const lacking = now.lacks.map((right) => {
    const abi = abiOfRight(right);
    if (now.missing.includes(right)) return `${right} (this kernel refuses it)`;
    if (abi <= now.abi) return `${right} (needs the fix of erratum 2)`;
    return `${right} (ABI ${abi}, Linux ${linuxOf(abi)})`;
  });
  const rows: [label: string, value: string][] = [
    ["Landlock:", `${paint("green", "enabled", screen)}, ABI ${now.abi}`],
    ["Errata fixed:", now.errataFixed.join(", ") || "none"],
    ["Paths:", now.restricts.fs.join(" ")],
    ["Network:", now.restricts.net.join(" ") || "-"],
    ["Scopes:", now.restricts.scoped.join(" ") || "-"],
    ["Not yet here:", lacking.join(", ") || "-"],
    ["Threads:", threadsText[now.threads as keyof typeof threadsText]],
    ["Audit flags:", now.auditFlags ? "yes" : "no (ABI 7)"],
    ["Quiet rules:", now.quietRules ? "yes" : "no (ABI 10)"],
    ...now.notCovered.map((what, i): [string, string] => [i === 0 ? "Never covered:" : "", what]),
  ];
  return labelled(rows, gap, screen).join("\n");
}
