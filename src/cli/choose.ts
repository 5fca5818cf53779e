/** Which Config a command line comes to: its options, and a policy's where there is one. */
import { trusted } from "../sandbox/frozen.ts";
import { Config } from "../sandbox/config.ts";
import { accessNet, newestAbi, rightsOf, type NetRight } from "../kernel/abi.ts";
import { landlock } from "../sandbox/landlock.ts";

/** What the options say about the Config. */
interface Choice {
  /** The ABI of `-1` to `-11`; undefined: none was given. */
  readonly abi: number | undefined;
  readonly strict: boolean;
  /** Whether the command may run even where nothing can be restricted. */
  readonly allowNone: boolean;
  /** Audit: `-l`. */
  readonly logging: boolean;
  /** The families that an option is about. */
  readonly paths: boolean;
  readonly net: boolean;
  /** Network rights that an option names with ports. */
  readonly limited: ReadonlySet<NetRight>;
  /** Network rights that an option leaves alone: `any`. */
  readonly free: ReadonlySet<NetRight>;
  readonly scoped: boolean;
}

/**
 * Without a policy: paths, and what else an option is about, in best effort. With one: what it
 * restricts, in addition to what an option is about, and as strictly as it says; `-strict` is
 * stricter.
 *
 * @param policy The policy's Config, for the ABI of the options where they give one
 */
export function chooseConfig(choice: Choice, policy: Config | undefined): Config {
  const base =
    policy ?? new Config({ ...landlock.V11, fs: [], net: [], scoped: [] }, trusted).bestEffort();
  const abi = choice.abi ?? policy?.abi ?? newestAbi;
  const all = rightsOf(abi);
  const paths = choice.paths || policy === undefined;
  const config = new Config(
    {
      ...base,
      // The rights that a file of the Landlock project names may be newer than the ABI.
      abi: policy ? Math.max(base.abi, abi) : abi,
      fs: base.fs.length === 0 && paths ? all.fs : base.fs,
      net: netOf(choice, base.net, all.net),
      scoped: base.scoped.length === 0 && choice.scoped ? all.scoped : base.scoped,
      ...(choice.strict ? { mode: "strict", atLeast: 0 } : {}),
      ...(choice.allowNone ? { allowNone: true } : {}),
    },
    trusted,
  );
  return choice.logging ? config.enableLoggingForSubprocesses() : config;
}

/** All that the ABI has, or what the policy restricts; and what the options say of single rights. */
function netOf(
  { net, limited, free }: Choice,
  policy: readonly NetRight[],
  all: readonly NetRight[],
): readonly NetRight[] {
  if (!net) return policy;
  const base =
    policy.length === 0 ? all : [...policy, ...all.filter((right) => limited.has(right))];
  return accessNet.filter((right) => base.includes(right) && !free.has(right));
}
