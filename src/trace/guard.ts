/**
 * Ends a traced command if this process is killed. Otherwise strace(1) and the command would
 * continue, and without strace the command's calls would fail with ENOSYS.
 */
import { writeSync } from "node:fs";
import { close, pipe } from "../kernel/syscalls.ts";

/** Kills strace and its traced processes once this process is gone. */
interface Guard {
  /** Sets the process id of strace. */
  watch(tracer: number): void;
  /** Kills strace and its traced processes now. */
  kill(): void;
  /** Ends the guard. */
  end(): void;
}

/**
 * Its standard input ends when this process ends. A stopped strace also stops each traced thread at
 * its next traced call, including fork(2), so the list of threads is complete.
 */
const script = `
read -r tracer || exit 0
read -r end && exit 0
read -r name <"/proc/$tracer/comm" && [ "$name" = strace ] || exit 0
kill -STOP "$tracer"
for status in /proc/[0-9]*/task/[0-9]*/status; do
  while read -r key value rest; do
    case $key in
      Tgid:) process=$value ;;
      TracerPid:) [ "$value" != "$tracer" ] || kill -KILL "$process"; break ;;
    esac
  done <"$status"
done 2>/dev/null
kill -KILL "$tracer"`;

/** Starts a guard. Without /bin/sh the guard does nothing. */
export function startGuard(): Guard {
  const ends = pipe();
  if (typeof ends === "number") return { watch() {}, kill() {}, end() {} };
  const [reader, writer] = ends;
  let child: Bun.Subprocess | undefined;
  try {
    child = Bun.spawn(["/bin/sh", "-c", script], {
      stdio: [reader, "ignore", "ignore"],
      cwd: "/",
      env: {},
      // A session of its own keeps signals for this process's group away from the guard.
      detached: true,
    });
  } catch {
    // Without a guard, killing this process leaves the command running.
  }
  close(reader);
  let isOpen = true;
  const closeOnce = () => {
    if (isOpen) close(writer);
    isOpen = false;
  };
  return {
    watch(tracer) {
      if (child) writeSync(writer, `${tracer}\n`);
    },
    kill: closeOnce,
    end() {
      if (isOpen) child?.kill("SIGKILL");
      closeOnce();
    },
  };
}
