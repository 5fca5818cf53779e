/** Rules and Configs that only look like the library's own: they are checked, or refused. */
import { expect, test } from "bun:test";
import {
  CompositeRule,
  composite,
  Config,
  FsRule,
  landlock,
  LandlockError,
  NetRule,
  pathAccess,
  planFor,
  roDirs,
  type FsRight,
} from "../src/index.ts";

const kernel = { abi: 8, errata: 0, state: "enabled" } as const;
const config = landlock.V4.bestEffort();
const plan = (rule: unknown) => planFor(config, [rule as FsRule], kernel);

function refusalOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof LandlockError ? error.code : (error as Error).name;
  }
  return "nothing was thrown";
}

/** Methods of lists that do not tell the truth. */
const lies = [
  { includes: () => true, every: () => true },
  { [Symbol.iterator]: () => [].values() },
  { every: () => true, [Symbol.iterator]: () => ["read_file"].values() },
];

const nonsense = {
  kind: "fs",
  access: ["everything"],
  explicit: [],
  paths: [3],
  onFile: "narrow",
  onMissing: "fail",
  onDenial: "log",
};
const refused = "ERR_LANDLOCK_INVALID_RULE";

test("an object with the prototype of a rule is checked like any other", () => {
  for (const { prototype } of [FsRule, NetRule, CompositeRule]) {
    const forged = Object.assign(Object.create(prototype) as object, nonsense);
    expect(refusalOf(() => plan(forged))).toBe(refused);
    expect(refusalOf(() => composite(forged as unknown as FsRule))).toBe(refused);
    expect(refusalOf(() => plan(composite(roDirs("/"), forged as unknown as FsRule)))).toBe(
      refused,
    );
  }
  const equal = Object.assign(Object.create(FsRule.prototype) as object, roDirs("/usr"));
  expect(plan(equal)).toEqual(plan(roDirs("/usr")));
});

test("a rule's methods make no rule of an object that only has its prototype", () => {
  const forged = Object.assign<FsRule, object>(Object.create(FsRule.prototype) as FsRule, nonsense);
  const methods = ["withRefer", "ignoreIfMissing", "createIfMissing", "quiet"] as const;
  for (const method of methods)
    expect(
      refusalOf(() => forged[method]()),
      method,
    ).toBe("TypeError");
  const net = Object.assign<NetRule, object>(Object.create(NetRule.prototype) as NetRule, nonsense);
  expect(refusalOf(() => net.quiet())).toBe("TypeError");
});

test("constructors check what they are given", () => {
  const construct = (type: unknown, value: unknown) => () =>
    new (type as new (value: unknown) => unknown)(value);
  expect(refusalOf(construct(FsRule, nonsense))).toBe(refused);
  expect(refusalOf(construct(NetRule, { access: ["bind_tcp"], ports: [-1] }))).toBe(refused);
  expect(refusalOf(construct(CompositeRule, [nonsense]))).toBe(refused);
  expect(refusalOf(construct(Config, { ...config, fs: ["everything"] }))).toBe(refused);
  expect(refusalOf(construct(Config, { ...config, abi: 0 }))).toBe(refused);
  class Wider extends FsRule {}
  expect(refusalOf(construct(Wider, nonsense))).toBe(refused);
  const { paths } = new (FsRule as unknown as new (value: unknown) => FsRule)(roDirs("/usr"));
  expect(paths).toEqual(["/usr"]);
});

test("an object with the prototype of a Config is no Config", () => {
  const forged = Object.assign(Object.create(Config.prototype) as Config, { ...config, fs: [] });
  expect(refusalOf(() => forged.plan(roDirs("/")))).toBe(refused);
  expect(refusalOf(() => forged.ruleset())).toBe(refused);
  expect(refusalOf(() => forged.restrict())).toBe(refused);
  for (const verb of ["restrictPaths", "restrictNet", "restrictScoped", "bestEffort"] as const) {
    expect(
      refusalOf(() => forged[verb]()),
      verb,
    ).toBe("TypeError");
  }
  const wrong = Object.assign(Object.create(Config.prototype) as Config, { ...config, abi: 99 });
  expect(refusalOf(() => planFor(wrong, [], kernel))).toBe(refused);
});

test("a list of rights is read element by element, whatever its methods say", () => {
  for (const methods of lies) {
    const unknown = Object.assign(["everything" as FsRight], methods);
    expect(refusalOf(() => pathAccess(unknown, "/usr"))).toBe(refused);
    expect(refusalOf(() => landlock.config({ fs: unknown }))).toBe(refused);
    const known = Object.assign<FsRight[], object>(["read_file"], methods);
    expect(pathAccess(known, "/usr").access).toEqual(["read_file"]);
    expect(landlock.config({ fs: known }).fs).toEqual(["read_file"]);
  }
});
