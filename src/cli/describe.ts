import { printable } from "../errors.ts";
import type { Plan } from "../plan.ts";

/** A plan as text for people. */
export function describe(plan: Plan): string {
  const { handled, unenforced, ungranted, abi } = plan;
  const lacking = [
    ...unenforced.fs,
    ...unenforced.net,
    ...unenforced.scoped,
    ...unenforced.logging,
  ];
  return [
    `enforcement: ${plan.enforcement} (ABI ${abi.used}; the kernel has ${abi.kernel})`,
    `denied:      ${[...handled.fs, ...handled.net, ...handled.scoped].join(" ")}`,
    ...plan.rules.map((rule) => {
      const place = "path" in rule ? printable(rule.path) : `port ${rule.port}`;
      const missing = "path" in rule && rule.onMissing === "skip" ? " (if it exists)" : "";
      return `granted:     ${place}${missing}: ${rule.access.join(" ")}`;
    }),
    ...(lacking.length > 0 ? [`unenforced:  ${lacking.join(" ")}`] : []),
    ...ungranted.map(({ right, path }) => `ungranted:   ${printable(path)}: ${right}`),
  ].join("\n");
}
