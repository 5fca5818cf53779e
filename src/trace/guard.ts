/**
 * Keeps a traced command from outliving this process, which may be killed at any time: strace(1)
 * and what it traces would go on as orphans, without strace even with ENOSYS from their calls.
 */
import { writeSync } from "node:fs";
import { close, pipe } from "../kernel/syscalls.ts";

/** Kills strace and all that it traces, once this process is gone. */
interface Guard {
  /** Tells it the number of strace. */
  watch(tracer: number): void;
  /** Kills strace and all that it traces now. */
  kill(): void;
  /** Ends the guard. */
  end(): void;
}

/**
 * Its standard input ends when this process does. A stopped strace holds each thread at the next
 * call that it traces, fork(2) among them, so the list of its threads is complete.
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

/** Starts a guard; where there is no /bin/sh, one that does nothing. */
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
      // In a session of its own no signal reaches it that is for this process's group.
      detached: true,
    });
  } catch {
    // Then only a kill of this process leaves something behind.
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
