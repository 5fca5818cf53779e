/** Chooses the Config for a command line from its options and its policy, if any. */
import { trusted } from "../validate/values.ts";
import { Config } from "../sandbox/config.ts";
import { accessNet, newestAbi, rightsOf, type NetRight } from "../kernel/abi.ts";
import { landlock } from "../sandbox/config.ts";

/** The options that affect the Config. */
interface Choice {
  /** The ABI of `-1` to `-11`; undefined if none was given. */
  readonly abi: number | undefined;
  readonly strict: boolean;
  /** Whether the command may run even if nothing can be restricted. */
  readonly allowNone: boolean;
  /** Whether to log denials (`-l`). */
  readonly logging: boolean;
  /** Whether an option restricts these families. */
  readonly paths: boolean;
  readonly net: boolean;
  /** Network rights for which an option gives ports. */
  readonly limited: ReadonlySet<NetRight>;
  /** Network rights that an option doesn't restrict, with `any`. */
  readonly free: ReadonlySet<NetRight>;
  readonly scoped: boolean;
}

/**
 * Without a policy, restricts paths and the families of the given options, in best effort. With a
 * policy, also restricts what the policy does, as strictly as it says. `-strict` is stricter.
 *
 * @param policy The policy's Config, for the options' ABI if they give one
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
      // A file in the Landlock project's format may name rights that are newer than the ABI.
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

/** The network rights of the ABI or of the policy, adjusted by options for single rights. */
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
