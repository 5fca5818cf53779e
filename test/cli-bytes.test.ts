/** A command gets its arguments byte for byte, and inherits limits and ignored signals. */
import { describe, expect } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kernelAbi, tempDir, testFromAbi, testUnless } from "./harness.ts";
import { needsStrace } from "./observe/strace.ts";
import { shell } from "./started.ts";

const noLandlock = kernelAbi < 1 ? "needs Landlock" : "";
const noTrace = noLandlock || needsStrace;

/** The words before a command, for each form that runs one. */
const forms: readonly [name: string, words: string, missing: string][] = [
  ["run", "-rw / --", noLandlock],
  ["explain", "explain -rw / --", noTrace],
  ["learn", "learn -o p.toml --", noTrace],
];

/** A folder with a file whose content must not be seen. */
function withSecret(): string {
  const folder = tempDir();
  writeFileSync(join(folder, "secret"), "secret\n");
  return folder;
}

describe("the first --", () => {
  testFromAbi(1, "begins the command, whose words are no options", async () => {
    const cwd = withSecret();
    expect(shell('"$ll" -ro / -- cat secret', cwd)).toMatchObject({ stdout: "secret\n" });
    expect(shell('"$ll" -- -ro / -- cat secret', cwd)).toMatchObject({ stdout: "", code: 127 });
    expect(shell('"$ll" -- cat secret', cwd)).toMatchObject({ stdout: "", code: 126 });
    expect(shell('"$ll" -- -- cat secret', cwd)).toMatchObject({ stdout: "", code: 127 });
    expect(shell('"$ll" cat secret', cwd)).toMatchObject({ stdout: "", code: 125 });
    expect(shell('"$ll" --', cwd)).toMatchObject({ stdout: "", code: 125 });
  });

  testFromAbi(1, "begins it too if Bun is given the script without the shell", async () => {
    const cwd = withSecret();
    const direct = `bun "${join(import.meta.dir, "../src/cli.ts")}"`;
    expect(shell(`${direct} -ro / -- cat secret`, cwd)).toMatchObject({ stdout: "secret\n" });
    expect(shell(`${direct} -- -ro / -- cat secret`, cwd)).toMatchObject({ stdout: "", code: 127 });
    expect(shell(`${direct} -- cat secret`, cwd)).toMatchObject({ stdout: "", code: 126 });
  });

  testUnless(noTrace, "begins the command of explain and learn", () => {
    const cwd = withSecret();
    expect(shell('"$ll" explain -ro / -- cat secret', cwd)).toMatchObject({ stdout: "secret\n" });
    expect(shell('"$ll" explain -- -ro / -- cat secret', cwd).stdout).toBe("");
    expect(shell('"$ll" explain -- cat secret', cwd).stdout).toBe("");
    const learned = shell('"$ll" learn -o p.toml -- -merge -- cat secret', cwd);
    expect(learned).toMatchObject({ stdout: "", code: 127 });
  });
});

describe("as from a plain exec", () => {
  for (const [name, words, missing] of forms) {
    testUnless(missing, `${name} leaves limits`, () => {
      const limits = `sh -c 'ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Ss'`;
      for (const set of ["ulimit -Sn 64", "ulimit -n 100", "ulimit -Sc 0; ulimit -Ss 4096", ":"]) {
        const plain = shell(`${set}; exec ${limits}`).stdout;
        expect(plain).toMatch(/^\d+\n\d+\n/);
        expect(shell(`${set}; exec "$ll" ${words} ${limits}`).stdout).toBe(plain);
      }
    });

    testUnless(missing, `${name} leaves ignored signals`, () => {
      const signals = `grep -E '^Sig(Ign|Blk)' /proc/self/status`;
      for (const set of ["trap '' HUP", "trap '' USR1 TERM 40", ":"]) {
        const plain = shell(`${set}; exec ${signals}`).stdout;
        expect(plain).toContain("SigIgn:");
        expect(shell(`${set}; exec "$ll" ${words} ${signals}`).stdout).toBe(plain);
      }
    });
  }
});

describe("a word that is not UTF-8", () => {
  const bad = `"$(printf 'bad\\377')"`;
  /** The folder has files under the names that Bun makes of such words. */
  function withTwins(): string {
    const folder = tempDir();
    copyFileSync("/bin/echo", join(folder, "echo"));
    for (const name of ["bad\ufffd", "x"]) {
      writeFileSync(join(folder, name), "#!/bin/sh\necho twin\n", { mode: 0o755 });
    }
    writeFileSync(join(folder, "bad\ufffd.json"), '{ "bestEffort": true, "ro": ["/"] }');
    mkdirSync(join(folder, "d\ufffd"));
    writeFileSync(join(folder, "d\ufffd", "tool"), "#!/bin/sh\necho twin\n", { mode: 0o755 });
    writeFileSync(join(folder, "d\ufffd", "p.json"), '{ "bestEffort": true, "ro": ["/"] }');
    return folder;
  }

  testFromAbi(1, "reaches the command, and is its variable, as it is", async () => {
    expect(shell(`"$ll" -rw / -- printf %s ${bad}`).stdout).toBe("bad\xff");
    expect(shell(`"$ll" -rw / -clearenv -env A=${bad} PATH -- printenv A`).stdout).toBe(
      "bad\xff\n",
    );
  });

  testFromAbi(1, "names the command, by its path and on PATH", async () => {
    const cwd = withTwins();
    expect(shell(`"$ll" -rw / -- ./${bad}`, cwd)).toMatchObject({ stdout: "", code: 127 });
    expect(shell(`"$ll" -rw / -- ${bad}`, cwd)).toMatchObject({ stdout: "", code: 127 });
    expect(shell(`cp echo ${bad}; "$ll" -rw / -- ./${bad} kept`, cwd).stdout).toBe("kept\n");
    expect(shell(`PATH=$PWD:$PATH "$ll" -rw / -- ${bad} kept`, cwd).stdout).toBe("kept\n");
    const folder = `"$PWD/$(printf 'd\\377')"`;
    const made = `mkdir ${folder}; cp echo ${folder}/tool`;
    const onPath = `${made}; PATH=${folder}:$PATH "$ll" -rw / -- tool kept`;
    expect(shell(onPath, cwd).stdout).toBe("kept\n");
    expect(shell(`"$ll" -rw / -env PATH=${folder} -- tool kept`, cwd).stdout).toBe("kept\n");
  });

  const refused: readonly [what: string, words: string][] = [
    ["a rule", `-ro / ${bad} --`],
    ["a policy", `-policy "$(printf 'bad\\377.json')" --`],
    ["a preset", `-preset executable=./${bad} --`],
    ["a port", `-bindtcp ${bad} --`],
    ["a descriptor", `-fd ${bad} --`],
    ["an option", `-ro / -${bad} --`],
    ["a command of landlock-restrict", bad],
    ["a rule of plan", `plan -ro ${bad} --`],
    ["a word of status", `status ${bad}`],
    ["the policy of learn", `learn -o ${bad}.toml --`],
    ["a rule of explain", `explain -ro ${bad} --`],
    ["the command of explain", `explain -ro / -- ./${bad}`],
    ["an argument that explain cannot pass on", `explain -rw / -- touch ${bad}`],
    ["an argument that learn cannot pass on", `learn -o p.toml -- touch ${bad}`],
  ];
  for (const [what, words] of refused) {
    testUnless(noTrace, `is refused as ${what}, by its name`, () => {
      const cwd = withTwins();
      const before = readdirSync(cwd);
      const { stdout, stderr, code } = shell(`"$ll" ${words} true`, cwd);
      expect(stderr).toContain("bad\\udcff");
      expect({ stdout, code }).toEqual({ stdout: "", code: 125 });
      expect(readdirSync(cwd)).toEqual(before);
    });
  }

  testUnless(noTrace, "is no other directory where it is the current one", () => {
    const cwd = withTwins();
    const inside = `mkdir "$(printf 'd\\377')"; cd "$(printf 'd\\377')"; `;
    const policy = shell(
      `${inside} echo '{"ro":["/"]}' >p.json; "$ll" -policy p.json -- echo`,
      cwd,
    );
    expect(policy).toMatchObject({ stdout: "", code: 125 });
    expect(policy.stderr).toContain("d\\udcff/p.json");
    const learned = shell(`cd "$(printf 'd\\377')"; "$ll" learn -o l.toml -- echo`, cwd);
    expect(learned).toMatchObject({ stdout: "", code: 125 });
    expect(readdirSync(join(cwd, "d\ufffd"))).toEqual(["p.json", "tool"]);
    const preset = shell(`cd "$(printf 'd\\377')"; "$ll" -ro /usr -preset cwd -- echo`, cwd);
    expect(preset).toMatchObject({ stdout: "", code: 125 });
  });
});
