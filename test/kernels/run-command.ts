/** Runs commands of the host. */

/** Runs a command to its end and returns its output. */
export async function run(
  command: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<string> {
  const child = Bun.spawn([...command], { ...options, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}\n${stderr}${stdout}`);
  return stdout;
}

/**
 * Checks that programs are installed.
 *
 * @param needed Programs, and their Debian packages
 * @throws With the packages to install
 */
export function requirePrograms(needed: Readonly<Record<string, string>>): void {
  const missing = Object.keys(needed).filter((program) => !Bun.which(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => needed[program]))];
  throw new Error(`${missing.join(", ")} missing: apt-get install ${packages.join(" ")}`);
}
