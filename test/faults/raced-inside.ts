/**
 * Preloaded into Bun. Replaces names just before chosen calls that open or create something, as a
 * program in another sandbox with the same rules could.
 */
import { read } from "bun:ffi";
import { readlinkSync } from "node:fs";

const openat2 = 437;
const landlockAddRule = 445;
const mkdirat = process.arch === "arm64" ? 34 : 258;

type Call = (...args: (number | bigint | string)[]) => number;
type Libc = Readonly<Record<"openat" | "syscall", Call>>;

/** What a test sets before, and reads after. */
export const race = {
  /** Called before each call, with the call's number from 0 on. */
  before: (_call: number): void => {},
  /** Whether openat2(2) is missing, as before Linux 5.6. */
  isOld: false,
  calls: 0,
  /** Where the files that got a rule are. */
  granted: [] as string[],
};

function hooked(libc: Libc): Libc {
  const before = () => race.before(race.calls++);
  const openat: Call = (...args) => {
    before();
    return libc.openat(...args);
  };
  const syscall: Call = (...args) => {
    const [number, , , attr] = args.map(Number) as [number, number, number, number];
    if (number === openat2 || number === mkdirat) before();
    if (number === landlockAddRule) {
      race.granted.push(readlinkSync(`/proc/self/fd/${read.i32(attr as never, 8)}`));
    }
    // A number that no system call has.
    return libc.syscall(...(race.isOld && number === openat2 ? [0xffff, 0, 0, 0, 0, 0] : args));
  };
  return { ...libc, openat, syscall };
}

Object.assign(globalThis, { hooked, race });

Bun.plugin({
  name: "race",
  setup(build) {
    build.onLoad({ filter: /\/src\/kernel\/syscalls\.ts$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      const load = "dlopen(name, symbols).symbols";
      if (!text.includes(load)) throw new Error(`no ${load} in ${path}`);
      return { contents: text.replace(load, `globalThis.hooked(${load})`), loader: "ts" };
    });
  },
});
