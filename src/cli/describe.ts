import { printable } from "../errors/errors.ts";
import { rightsOfKernel, type Kernel } from "../kernel/probe.ts";
import type { PathRule, Plan } from "../sandbox/plan.ts";
import type { Screen } from "../terminal/screen.ts";
import { labelled, paint, type Style } from "../terminal/text.ts";

/** The width of the labels below, in columns. */
const gap = 13;

const enforcementStyle = {
  full: "green",
  partial: "yellow",
  none: "red",
} as const satisfies Record<Plan["enforcement"], Style>;

const missingWords = {
  fail: "",
  skip: " (if it exists)",
  create: " (made if it is missing)",
} as const satisfies Record<PathRule["onMissing"], string>;

/**
 * A plan as text for people.
 *
 * @param screen Where it is shown
 * @param kernel The plan's kernel. If given, the text includes unrestricted rights and what
 *   Landlock doesn't cover.
 */
export function describe(plan: Plan, screen: Screen, kernel?: Kernel): string {
  const { enforcement, handled, unenforced, ungranted, abi } = plan;
  const lacking = [
    ...unenforced.fs,
    ...unenforced.net,
    ...unenforced.scoped,
    ...unenforced.logging,
  ];
  const place = (text: string) => paint("cyan", printable(text), screen);
  const rows: [label: string, value: string][] = [
    [
      "enforcement:",
      `${paint(enforcementStyle[enforcement], enforcement, screen)} (ABI ${abi.used}; the kernel has ${abi.kernel})`,
    ],
    ["denied:", [...handled.fs, ...handled.net, ...handled.scoped].join(" ")],
    ...(kernel
      ? [["left alone:", leftAlone(plan, kernel).join(" ") || "-"] as [string, string]]
      : []),
    ...plan.rules.map((rule): [string, string] => {
      const missing = "path" in rule ? missingWords[rule.onMissing] : "";
      const what = place("path" in rule ? rule.path : `port ${rule.port}`);
      return ["granted:", `${what}${missing}: ${rule.access.join(" ")}`];
    }),
    ...(lacking.length > 0 ? [["unenforced:", lacking.join(" ")] as [string, string]] : []),
    ...ungranted.map(({ right, path }): [string, string] => [
      "ungranted:",
      `${place(path)}: ${right}`,
    ]),
    ...plan.rewritable.map((path): [string, string] => [
      "rewritable:",
      `${place(path)}: its content decides what a preset grants`,
    ]),
    ...(kernel ? plan.notCovered.map((what): [string, string] => ["not covered:", what]) : []),
  ];
  return labelled(rows, gap, screen).join("\n");
}

/** Rights that this kernel could restrict, but that aren't requested. */
function leftAlone({ handled, unenforced }: Plan, kernel: Kernel): string[] {
  const all = rightsOfKernel(kernel);
  const known: readonly string[] = [
    ...[...handled.fs, ...handled.net, ...handled.scoped],
    ...[...unenforced.fs, ...unenforced.net, ...unenforced.scoped],
  ];
  // Landlock always denies refer, even if it isn't requested.
  return [...all.fs, ...all.net, ...all.scoped].filter(
    (right) => right !== "refer" && !known.includes(right),
  );
}
