/** Mistakes that somebody could make in a line that decides, and the tests that must notice. */

/** One mistake. */
export interface Mutation {
  /** Beneath `src`. */
  readonly file: string;
  /** What stands there, once in the whole file. */
  readonly text: string;
  readonly instead: string;
  /** Test files, beneath `test`. */
  readonly tests: readonly string[];
}

export const mutations: readonly Mutation[] = [
  // What the kernel is asked.
  {
    file: "kernel/abi.ts",
    text: '  "resolve_unix",\n];',
    instead: "];",
    tests: ["abi.test.ts"],
  },
  {
    file: "kernel/abi.ts",
    text: "setU64(words, 2, maskOf(handled.net, accessNet));",
    instead: "",
    tests: ["uapi.test.ts"],
  },
  {
    file: "kernel/abi.ts",
    text: "if (names.includes(all[bit]!)) mask += 2 ** bit;",
    instead: "if (names.includes(all[bit]!)) mask |= 2;",
    tests: ["uapi.test.ts"],
  },
  {
    file: "kernel/probe.ts",
    text: "known < below && (weakens",
    instead: "known <= below && (weakens",
    tests: ["abi.test.ts"],
  },
  {
    file: "kernel/probe.ts",
    text: 'abi === -EOPNOTSUPP ? "disabled" : "blocked"',
    instead: 'abi === -EOPNOTSUPP ? "blocked" : "disabled"',
    tests: ["enforce/blocked.test.ts"],
  },
  {
    file: "kernel/probe.ts",
    text: "abi < abiOf.tsync && (kernel.errata & signalErratum) === 0",
    instead: "abi <= abiOf.tsync && (kernel.errata & signalErratum) === 0",
    tests: ["plan.test.ts", "plan-strict.test.ts"],
  },
  {
    file: "kernel/lookup.ts",
    text: "if (errno === EACCES) failure = EACCES;",
    instead: "if (errno === EACCES) return EACCES;",
    tests: ["lookup.test.ts"],
  },
  {
    file: "kernel/syscalls.ts",
    text: "O_PATH | O_CLOEXEC | flags, 0)",
    instead: "O_CLOEXEC | flags, 0)",
    tests: ["enforce/rules.test.ts"],
  },
  // Plans.
  {
    file: "sandbox/plan.ts",
    text: "if (access.length === 0 && !quiet) continue;",
    instead: "if (access.length === 0) continue;",
    tests: ["plan-rules.test.ts"],
  },
  {
    file: "sandbox/plan.ts",
    text: "const nothing = isEmpty(has);",
    instead: "const nothing = has.fs.length === 0;",
    tests: ["plan.test.ts", "plan-property.test.ts"],
  },
  {
    file: "sandbox/plan.ts",
    text: "if (stray !== undefined || handled.length === 0) {",
    instead: "if (stray !== undefined) {",
    tests: ["plan-rules.test.ts"],
  },
  {
    file: "sandbox/plan.ts",
    text: "if (abi >= config.atLeast) return;",
    instead: "if (abi + 1 >= config.atLeast) return;",
    tests: ["plan-strict.test.ts", "hints.test.ts"],
  },
  // Rules, and what becomes of them.
  {
    file: "sandbox/rules.ts",
    text: 'const writeFiles: readonly FsRight[] = ["execute", "write_file", "read_file", "truncate"];',
    instead: 'const writeFiles: readonly FsRight[] = ["execute", "write_file", "read_file"];',
    tests: ["rules.test.ts"],
  },
  {
    file: "sandbox/rules.ts",
    text: "explicit: inOrder([...this.explicit, right]),",
    instead: "explicit: this.explicit,",
    tests: ["rules.test.ts", "plan-rules.test.ts"],
  },
  {
    file: "sandbox/restrict.ts",
    text: 'rule.onMissing === "skip" && isMissing(added.errno)',
    instead: 'rule.onMissing === "skip"',
    tests: ["enforce/unusable.test.ts", "cli.test.ts"],
  },
  {
    file: "sandbox/restrict.ts",
    text: 'fd >= 0 && rule.onFile === "fail"',
    instead: "false",
    tests: ["enforce/unusable.test.ts", "enforce/rules.test.ts"],
  },
  {
    file: "sandbox/restrict.ts",
    text: 'plan.flags.includes("tsync")',
    instead: "true",
    tests: ["threads/whole-process.test.ts"],
  },
  {
    file: "sandbox/restrict.ts",
    text: "if (done.result === ALLTHREADS_DIVERGED) throw diverged(done);",
    instead:
      'if (done.result === ALLTHREADS_DIVERGED) return { count: done.threads, method: "broadcast" };',
    tests: ["threads/diverged.test.ts"],
  },
  {
    file: "spawn/spawn.ts",
    text: "if (readInto(statusFd, failure) < failureBytes) return;",
    instead: "if (readInto(statusFd, failure) <= failureBytes) return;",
    tests: ["spawn/options.test.ts"],
  },
  {
    file: "spawn/call.ts",
    text: "while (entries.length < 3) entries.push(undefined);",
    instead: "",
    tests: ["spawn/options.test.ts"],
  },
  {
    file: "spawn/launcher.ts",
    text: 'fileSystemType("/proc/self/fd") === PROC_SUPER_MAGIC',
    instead: 'fileSystemType("/proc/self/fd") > 0',
    tests: ["faults/launch.test.ts"],
  },
  // Policies.
  {
    file: "policy/variables.ts",
    text: 'part !== ".." && part !== "."',
    instead: 'part !== "."',
    tests: ["policy/variables.test.ts"],
  },
  {
    file: "policy/find.ts",
    text: "if (!/\\/node_modules\\/|@@@\\d*\\//.test(path)) return path;",
    instead: "if (path) return path;",
    tests: ["policy/preload.test.ts"],
  },
  {
    file: "policy/owner.ts",
    text: "return uid !== 0 && uid !== process.geteuid?.();",
    instead: "return uid < 0;",
    tests: ["policy/preload.test.ts"],
  },
  {
    file: "policy/own.ts",
    text: 'fs: free("paths") ? [] : all.fs,',
    instead: 'fs: free("net") ? [] : all.fs,',
    tests: ["policy/own.test.ts"],
  },
  {
    file: "policy/handled.ts",
    text: "const access = one.access.filter(handled);",
    instead: "const access = one.access;",
    tests: ["policy/own.test.ts"],
  },
  {
    file: "policy/file.ts",
    text: "if (inside.keys.has(key)) yield",
    instead: "if (open.length > 1 && inside.keys.has(key)) yield",
    tests: ["policy/files.test.ts"],
  },
  {
    file: "kernel/walk.ts",
    text: "const target = found < 0 ? undefined : readOpenLink(found);",
    instead: "const target = undefined as string | undefined;",
    tests: ["policy/owner.test.ts", "enforce/swapped.test.ts"],
  },
  {
    file: "sandbox/restrict.ts",
    text: "if (rule.identity !== undefined) requireIdentity(rule, fd);",
    instead: "",
    tests: ["presets/replaced.test.ts"],
  },
  {
    file: "kernel/names.ts",
    text: "path === folder || path.startsWith(",
    instead: "path !== folder || path.startsWith(",
    tests: ["enforce/swapped.test.ts"],
  },
  {
    file: "sandbox/links.ts",
    text: "if (rule.identity !== undefined && isForAll(fd, place)) continue;",
    instead: "if (rule.identity !== undefined) continue;",
    tests: ["presets/links.test.ts"],
  },
  {
    file: "policy/owner.ts",
    text: "if (gid !== uid) return false;",
    instead: "return gid === uid;",
    tests: ["policy/owner.test.ts"],
  },
  // Presets.
  {
    file: "presets/elf.ts",
    text: "isRunnable(elf) && elf.interpreter === undefined && elf.needed.length === 0",
    instead: "isRunnable(elf)",
    tests: ["presets/hostile.test.ts", "presets/executable.test.ts"],
  },
  {
    file: "presets/project.ts",
    text: 'if (!has(path)) throw refused(path, by, "it lies outside the project");',
    instead: "",
    tests: ["presets/modules-project.test.ts"],
  },
  {
    file: "presets/project.ts",
    text: "!trusted.includes(stats.uid) || ",
    instead: "",
    tests: ["presets/modules-project.test.ts", "presets/hostile.test.ts"],
  },
  {
    file: "presets/grant.ts",
    text: 'const read: readonly FsRight[] = ["read_file"];',
    instead: 'const read: readonly FsRight[] = ["execute", "read_file"];',
    tests: ["presets/named.test.ts", "presets/bun.test.ts", "presets/dns.test.ts"],
  },
  // explain().
  {
    file: "model/model.ts",
    text: "if (mountOf(source) !== mountOf(target)) return allowed;",
    instead: "",
    tests: ["explain/model-refer.test.ts"],
  },
  {
    file: "model/walk.ts",
    text: 'handled.fs.length === 0 ? [] : [...handled.fs, "refer" as const]',
    instead: "handled.fs",
    tests: ["explain/model-refer.test.ts", "explain/model.test.ts"],
  },
  {
    file: "explain/ordinary.ts",
    text: 'if (kind === "link") return entry(operation.to, files);',
    instead:
      'if (kind === "link") return [operation.to, operation.path].flatMap((one) => entry(one, files));',
    tests: ["explain/ordinary.test.ts"],
  },
  {
    file: "explain/ordinary.ts",
    text: '["EACCES", "EROFS"]',
    instead: '["EACCES"]',
    tests: ["explain/ordinary.test.ts"],
  },
  // What explain and learn see.
  {
    file: "trace/value.ts",
    text: 'const isCut = end === "" || more !== undefined;',
    instead: "const isCut = false;",
    tests: ["observe/line.test.ts", "observe/calls.test.ts"],
  },
  {
    file: "explain/run/denied.ts",
    text: "first?.errno === errno && (isOther || permitted(operation))",
    instead: "first && (isOther || permitted(operation))",
    tests: ["observe/advice.test.ts"],
  },
  {
    file: "trace/calls.ts",
    text: 'if (path === undefined || flags.includes("O_PATH")) return undefined;',
    instead: "if (path === undefined) return undefined;",
    tests: ["observe/calls.test.ts"],
  },
  {
    file: "advise/secret-names.ts",
    text: "inHome.test(plain) || ofSystem.test(lasting)",
    instead: "inHome.test(plain)",
    tests: ["learn/secrets.test.ts"],
  },
  {
    file: "advise/secrets.ts",
    text: "stats.nlink < 2n",
    instead: "stats.nlink < 3n",
    tests: ["learn/secret-links.test.ts"],
  },
  {
    file: "learn/existing.ts",
    text: "  const fd = openOwned(path, ownPolicy);",
    instead: "  const fd = -1;",
    tests: ["learn/write.test.ts"],
  },
  {
    file: "advise/fold.ts",
    text: "return !isWide(directory, around) && !around.secrets.mayBeWithin(directory);",
    instead: "return !around.secrets.mayBeWithin(directory);",
    tests: ["learn/fold.test.ts"],
  },
  {
    file: "advise/fold.ts",
    text: "return !isWide(directory, around) && !around.secrets.mayBeWithin(directory);",
    instead: "return !isWide(directory, around);",
    tests: ["learn/fold.test.ts", "learn/secrets.test.ts"],
  },
  {
    file: "advise/governing.ts",
    text: "return found.length > 0 || !complete;",
    instead: "return found.length > 0;",
    tests: ["learn/fold.test.ts", "learn/secrets.test.ts", "learn/learn.test.ts"],
  },
  {
    file: "advise/governing.ts",
    text: "if (inHomes(path, home).some((rest) => homePattern.test(rest))) return true;",
    instead: "",
    tests: ["learn/later.test.ts"],
  },
  {
    file: "advise/judgement.ts",
    text: 'return isGoverning(path, place.home) ? "later" : undefined;',
    instead: "return undefined;",
    tests: ["learn/later.test.ts"],
  },
  {
    file: "advise/zones.ts",
    text: "return [home, project].some((path) => path?.startsWith(`${directory}/`));",
    instead: "return false;",
    tests: ["learn/fold.test.ts", "learn/learn.test.ts"],
  },
  // The command line.
  {
    file: "cli/choose.ts",
    text: '...(choice.strict ? { mode: "strict", atLeast: 0 } : {}),',
    instead: "",
    tests: ["hints.test.ts", "fuzz/scripts.test.ts"],
  },
  {
    file: "cli/choose.ts",
    text: "base.includes(right) && !free.has(right)",
    instead: "base.includes(right) && free.size === 0",
    tests: ["cli.test.ts"],
  },
  {
    file: "cli/prepare-exec.ts",
    text: "const untouched = cleared ? [] : ",
    instead: "const untouched = ",
    tests: ["cli-inherit.test.ts"],
  },
  {
    file: "cli/descriptors.ts",
    text: "(isBunsOwn(fd) || setCloseOnExec(fd, false) < 0)",
    instead: "setCloseOnExec(fd, false) < 0",
    tests: ["cli.test.ts"],
  },
  {
    file: "cli/flags.ts",
    text: "free.has(right) && (limited.has(right) || ports.length > 1)",
    instead: "free.has(right) && ports.length > 1",
    tests: ["cli.test.ts"],
  },
  // The rest.
  {
    file: "preload.ts",
    text: "if (getEnvironmentData(key) === process.pid) return;",
    instead: "return;",
    tests: ["policy/preload.test.ts"],
  },
  {
    file: "preload.ts",
    text: 'enforcement === "none" && !policy.config.allowNone',
    instead: "false",
    tests: ["policy/preload.test.ts", "enforce/absent.test.ts"],
  },
  {
    file: "errors/errors.ts",
    text: "/[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]/gu",
    instead: "/[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}]/gu",
    tests: ["errors.test.ts"],
  },
  {
    file: "terminal/text.ts",
    text: 'if (!colours || text === "") return text;',
    instead: 'if (text === "") return text;',
    tests: ["terminal/text.test.ts", "terminal/cli.test.ts"],
  },
  {
    file: "errors/hints.ts",
    text: "if (/^~(\\/|$)/.test(path))",
    instead: "if (/~/.test(path))",
    tests: ["hints.test.ts"],
  },
];
