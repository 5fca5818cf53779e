/** Parses the command line into kernels and test files. */
import { kernels, type Kernel } from "./table.ts";

/** The users that run the tests. */
export type User = "root" | "user";

export interface Selection {
  readonly kernels: readonly Kernel[];
  readonly files: readonly string[];
  readonly users: readonly User[];
}

/**
 * Accepts `quick`, `all`, kernel names and test files; without any of a kind, it selects all.
 *
 * @throws If a name is unknown
 */
export function select(words: readonly string[], allFiles: readonly string[]): Selection {
  const files = words.filter((word) => word.endsWith(".test.ts"));
  const names = words.filter((word) => !files.includes(word));
  const known = ["all", "quick", ...kernels.map(({ name }) => name)];
  const unknown = [
    ...names.filter((name) => !known.includes(name)),
    ...files.filter((file) => !allFiles.includes(file)),
  ];
  if (unknown.length > 0) {
    throw new Error(`there is no ${unknown.join(", ")}; there are ${known.join(" ")}`);
  }
  const means = (kernel: Kernel, name: string) =>
    name === "all" || name === kernel.name || (name === "quick" && kernel.quick === true);
  const quick = names.join() === "quick";
  // These take longest and mostly repeat other tests, so the host's own run must do.
  const slow =
    /^test\/(cli|explain\/explain|lib\/|enforce\/many-rules|threads\/(concurrent|no-proc|whole-process))/;
  return {
    kernels: kernels.filter(
      (kernel) => names.length === 0 || names.some((name) => means(kernel, name)),
    ),
    files: files.length > 0 ? files : allFiles.filter((file) => !quick || !slow.test(file)),
    users: quick ? ["user"] : ["root", "user"],
  };
}
