/** Becomes the command, as it would have been started by a plain exec. */
import { inheritedStrings } from "../kernel/inherited.ts";
import { bytesOf } from "../kernel/names.ts";
import { execve, loadNative } from "../kernel/native.ts";
import { environmentOf, type EnvironmentRequest } from "./environment.ts";

/**
 * Gets everything ready for replacing this process by a program: files that are out of reach
 * once it is restricted are read here.
 *
 * @param path The program's path
 * @param words The command line, as `nameOf()` has it
 * @param commandAt Where the command starts in it
 * @param openFiles The soft limit on open files that it gets
 * @returns The function that does it; its result is the negative errno of execve(2)
 */
export function become(
  path: string,
  words: readonly string[],
  commandAt: number,
  environment: EnvironmentRequest,
  openFiles: number,
): () => number {
  // What Bun made of it could have lost bytes that are not UTF-8, or gained from a .env file.
  const inherited =
    inheritedStrings("environ") ??
    Object.entries(process.env).map(([name, value]) => bytesOf(`${name}=${value ?? ""}\0`));
  const argv = words.slice(commandAt).map((word) => bytesOf(`${word}\0`));
  const named = environment.words.map((at) => bytesOf(`${words[at]}\0`));
  const envp = environmentOf(inherited, environment.cleared, named);
  loadNative();
  return () => execve(path, argv, envp, BigInt(openFiles));
}
