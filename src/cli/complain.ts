import { printable } from "../errors/errors.ts";
import { writeError } from "../terminal/output.ts";
import { screenOf } from "../terminal/screen.ts";
import { paint } from "../terminal/text.ts";

/** Says on standard error, in one line, what is wrong. */
export function complain(message: string): void {
  const name = paint("red", "landlock-restrict:", screenOf(2));
  writeError(`${name} ${printable(message)}\n`);
}
