/** `${NAME}` in policies comes only from the table of variables. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LandlockError, parsePolicy, type FsRule } from "../../src/index.ts";
import { inSubprocess, tempDir } from "../harness.ts";

function paths(ro: string[], variables?: object): readonly string[] {
  const { rules } = parsePolicy({ ro, ...(variables ? { variables } : {}) }, { base: "/base" });
  return (rules[0] as FsRule).paths;
}

function complaint(ro: string[], variables?: object): string {
  try {
    return `no complaint: ${paths(ro, variables).join()}`;
  } catch (error) {
    if (!(error instanceof LandlockError)) throw error;
    expect(error.code).toBe("ERR_LANDLOCK_INVALID_POLICY");
    return error.message.replace("parsePolicy(): ", "");
  }
}

const environment: Record<string, string> = {
  LANDLOCK_TEST_HOME: "/home/someone",
  LANDLOCK_TEST_NAME: "someone",
  LANDLOCK_TEST_EMPTY: "",
  LANDLOCK_TEST_UP: "..",
  LANDLOCK_TEST_DEEP: "/home/../etc",
  LANDLOCK_TEST_RELATIVE: "a/b",
};

/** The paths or the error, in a process with the given environment. */
function inEnvironment(ro: string[], variables: object, cwd = "/"): Promise<string> {
  return inSubprocess(
    { ro, variables },
    ({ parsePolicy }, given) => {
      try {
        const [rule] = parsePolicy(given, { base: "/base" }).rules;
        return (rule as FsRule).paths.join();
      } catch (error) {
        return (error as Error).message.replace("parsePolicy(): ", "");
      }
    },
    { env: environment, cwd },
  );
}

describe("expansion", () => {
  test("a string, a list, several in one path, and the same one twice", () => {
    expect(paths(["${A}/x"], { A: "/a" })).toEqual(["/a/x"]);
    expect(paths(["${A}", "/c"], { A: ["/a", "b"] })).toEqual(["/a", "/base/b", "/c"]);
    const table = { A: ["1", "2"], B: ["x", "y"] };
    expect(paths(["/${A}${B}"], table)).toEqual(["/1x", "/1y", "/2x", "/2y"]);
    expect(paths(["/${A}${A}"], { A: "a" })).toEqual(["/aa"]);
  });

  test("$$ is a dollar, and one that stands alone is one too", () => {
    expect(paths(["/a$", "/$b", "/$$", "/$${A}", "/$$${A}", "/{A}"], { A: "a" })).toEqual([
      "/a$",
      "/$b",
      "/$",
      "/${A}",
      "/$a",
      "/{A}",
    ]);
  });

  test("in paths with rights, and in presets", () => {
    const variables = { A: "a" };
    const { rules } = parsePolicy(
      { variables, paths: [{ access: "ro", paths: ["/${A}"] }] },
      { base: "/base" },
    );
    expect(rules).toMatchObject([{ paths: ["/a"] }]);
    expect(complaint([], {})).toBe("no complaint: ");
    const unknown = () => parsePolicy({ presets: ["executable=${B}"], variables });
    expect(unknown).toThrow("presets[0]: ${B} is not a variable: use A, or add it to the table");
  });
});

describe("the environment", () => {
  test("is read where the table says so", async () => {
    const variables = {
      HOME: { env: "LANDLOCK_TEST_HOME" },
      NAME: { env: "LANDLOCK_TEST_NAME" },
    };
    const ro = ["${HOME}/x", "/srv/${NAME}"];
    expect(await inEnvironment(ro, variables)).toBe("/home/someone/x,/srv/someone");
  });

  test("is not read otherwise", () => {
    expect(complaint(["${LANDLOCK_TEST_HOME}"])).toBe(
      "ro[0]: ${LANDLOCK_TEST_HOME} is not a variable: define it in the table of variables; the environment is only used if the table says so",
    );
  });

  const unset = "is not set in the environment that this process was started with";
  for (const env of ["LANDLOCK_TEST_UNSET", "LANDLOCK_TEST_EMPTY"]) {
    test(`${env} is an error`, async () => {
      expect(await inEnvironment(["${A}"], { A: { env } })).toBe(
        `variables.A: ${env} ${unset}; set it there, or write a path here`,
      );
    });
  }

  test("that a .env file of the current directory made up is an error", async () => {
    const folder = tempDir();
    await Bun.write(join(folder, ".env"), "LANDLOCK_TEST_DOTENV=/\nLANDLOCK_TEST_HOME=/\n");
    const value = (env: string) => inEnvironment(["${A}"], { A: { env } }, folder);
    expect(await value("LANDLOCK_TEST_HOME")).toBe("/home/someone");
    expect(await value("LANDLOCK_TEST_DOTENV")).toBe(
      `variables.A: LANDLOCK_TEST_DOTENV ${unset}: an .env file or the program set it later; set it there, or write a path here`,
    );
  });

  for (const env of ["LANDLOCK_TEST_UP", "LANDLOCK_TEST_DEEP", "LANDLOCK_TEST_RELATIVE"]) {
    test(`${env} could lead elsewhere and is an error`, async () => {
      expect(await inEnvironment(["${A}"], { A: { env } })).toBe(
        `variables.A: "${environment[env]}", the value of ${env} in the environment, is neither an absolute path without ".." nor a single name: correct it, or write a path here`,
      );
    });
  }
});

test("a value of the environment that is not UTF-8 is an error, not another file", () => {
  const script = `
    const { parsePolicy } = await import(${JSON.stringify(join(import.meta.dir, "../../src/index.ts"))});
    parsePolicy({ ro: ["\${A}"], variables: { A: { env: "ODD" } } });`;
  const start = 'export ODD=$(printf "/home/\\377"); exec "$0" -e "$1"';
  const { stderr } = Bun.spawnSync(["sh", "-c", start, process.execPath, script]);
  expect(stderr.toString()).toContain(
    "variables.A: the value of ODD in the environment is not UTF-8, which paths in policies must be",
  );
});

describe("complaints", () => {
  const cases: [ro: string[], variables: object | undefined, message: string][] = [
    [
      ["/a", "${A}"],
      { B: "b", C: "c" },
      "ro[1]: ${A} is not a variable: use B, C, or add it to the table of variables; the environment is only used if the table says so",
    ],
    [["${A"], { A: "a" }, 'ro[0]: "${A" has a ${ without }: close it, or write $${ for a plain ${'],
    [
      ["${}"],
      { A: "a" },
      "ro[0]: ${} is not a variable: use A, or add it to the table of variables; the environment is only used if the table says so",
    ],
    [
      ["~/x"],
      undefined,
      'ro[0]: "~/x" is not expanded: write ${HOME}, with "variables": { "HOME": { "env": "HOME" } }, or ./~ for a file of that name',
    ],
    [
      [],
      { A: "/a/${B}", B: "b" },
      'variables.A: "/a/${B}" refers to another variable: use both variables in the path instead',
    ],
    [[], [], "variables: [] is not a table: give names and their values"],
    [[], { A: "" }, 'variables.A: "" is not a value: give a non-empty string without NUL'],
    [[], { A: [] }, "variables.A: [] is not a list of one or more: put something in it"],
    [
      [],
      { A: 1 },
      "variables.A: 1 is not a variable: give a string, a list of strings, or a table with env",
    ],
    [[], { A: { name: "HOME" } }, 'variables.A: "name" is unknown: use env'],
    [
      [],
      { "A-B": "a" },
      'variables.A-B: "A-B" is not the name of a variable: use letters, digits and _, a letter first',
    ],
  ];
  for (const [ro, variables, message] of cases) {
    test(message.slice(0, 90), () => expect(complaint(ro, variables)).toBe(message));
  }

  test("lists that multiply without end", () => {
    const A = [...Array(30).keys()].map(String);
    expect(complaint(["/${A}${A}${A}"], { A })).toBe(
      'ro[0]: "/${A}${A}${A}" makes more than 10000 paths: give its variables fewer values',
    );
  });
});
