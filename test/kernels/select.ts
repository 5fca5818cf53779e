/** Which kernels a command line means. */
import { kernels, type Kernel } from "./table.ts";

/**
 * `quick`, `all` or names of kernels.
 *
 * @throws If there is no kernel of a name
 */
export function select(words: readonly string[]): Kernel[] {
  const unknown = words.filter(
    (word) => word !== "all" && word !== "quick" && !kernels.some(({ name }) => name === word),
  );
  if (unknown.length > 0) {
    const names = kernels.map(({ name }) => name).join(" ");
    throw new Error(`there is no kernel ${unknown.join(", ")}; there are: all quick ${names}`);
  }
  const means = (kernel: Kernel, word: string) =>
    word === "all" || word === kernel.name || (word === "quick" && kernel.quick === true);
  const wanted = words.length === 0 ? ["all"] : words;
  return kernels.filter((kernel) => wanted.some((word) => means(kernel, word)));
}
