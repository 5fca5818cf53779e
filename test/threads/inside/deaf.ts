/** The thread of `deaf.c`. */
import { dlopen, FFIType } from "bun:ffi";

const { i32, u8, cstring } = FFIType;

export function startDeafThread(library: string) {
  const { symbols } = dlopen(library, {
    deaf_start: { args: [], returns: i32 },
    deaf_order: { args: [u8, cstring], returns: i32 },
    deaf_let_go: { args: [], returns: i32 },
  });
  const tid = symbols.deaf_start();
  const order = (letter: string, path = "") =>
    symbols.deaf_order(letter.charCodeAt(0), path as never);
  return {
    tid,
    block: () => order("b"),
    unblock: () => order("u"),
    /** Sleeps in vfork(2), where signals stay pending, until `letGo()`. */
    hang: () => order("v"),
    letGo: () => symbols.deaf_let_go(),
    /** Opens a file and returns 0 or the errno. */
    open: (path: string) => order("o", path),
  };
}
