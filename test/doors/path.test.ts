/** The PATH entries from which the programs take Bun and strace, in any spelling. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { tempDir } from "../harness.ts";
import { writeStarted } from "../started.ts";

/** Writes programs named bun and strace that print this word. */
function plant(folder: string, word: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ["bun", "strace"]) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho ${word}\n`, { mode: 0o755 });
  }
}

/** Placeholders in an entry for the folders of a scene. */
interface Scene {
  readonly $CWD: string;
  readonly $UP: string;
  /** A folder of links. */
  readonly $LINKS: string;
  /** Another project. */
  readonly $OTHER: string;
}

/** Where programs are planted, relative or absolute, and PATH entries for that folder. */
const table: readonly [planted: string, ...entries: string[]][] = [
  ["bin", "bin", "./bin", "bin/.", "bin//", ".//bin", "x/../bin", "./x/../bin", "x/./../bin"],
  ["bin", "../$NAME/./bin", "x/../../$NAME/bin", "$CWD/bin", "$CWD/bin/", "$CWD/x/../bin"],
  ["bin", "$LINKS/here/bin", "$LINKS/in", "$LINKS/in/.", "/proc/self/cwd/bin", "$UP//$NAME/bin"],
  ["a/b/c", "a/b/c", "$CWD/a/b/c", "$CWD/a//b/./c/", "$LINKS/here/a/b/c", "$LINKS/deep/c"],
  [".", "", ".", "./", "./.", "x/..", "../$NAME", "$CWD", "$CWD/", "$CWD//", "/$CWD", "//$CWD"],
  [".", "$UP//$NAME", "$UP/./$NAME", "$CWD/.", "$CWD/x/..", "$CWD/../$NAME", "$UP/$NAME/././/"],
  [".", "$LINKS/here", "$LINKS/here/", "$LINKS//here", "$LINKS/here/x/..", "$LINKS/in/.."],
  [".", "$LINKS/twice", "/proc/self/cwd", "/proc/self/cwd/", "/proc/thread-self/cwd"],
  [
    "..",
    "..",
    "../",
    "../.",
    "$UP",
    "$UP/",
    "$UP//",
    "/$UP",
    "$CWD/..",
    "$LINKS/up",
    "$LINKS/up/.",
  ],
  ["..", "$LINKS/here/..", "/proc/self/cwd/..", "$OTHER/../$UPNAME", "$LINKS/in/../.."],
  [
    "node_modules/.bin",
    "$CWD/node_modules/.bin",
    "$CWD/node_modules//.bin",
    "$LINKS/here/node_modules/.bin",
  ],
  [
    "../node_modules/.bin",
    "$UP/node_modules/.bin",
    "$UP/node_modules/.bin/",
    "$UP/node_modules//.bin",
  ],
  [
    "../node_modules/.bin",
    "$UP//node_modules/./.bin",
    "$CWD/../node_modules/.bin",
    "$LINKS/up/node_modules/.bin",
  ],
  ["$OTHER/node_modules/.bin", "$OTHER/node_modules/.bin", "$OTHER/node_modules//.bin/"],
  ["$OTHER/node_modules/.bin", "$OTHER/node_modules/x/../.bin", "$OTHER/node_modules/./.bin"],
  ["$OTHER/node_modules/.bin", "$LINKS/bins", "$LINKS/modules/.bin", "$OTHER/bin"],
  // Links with these names to a folder with another name.
  ["$OTHER/linked", "$OTHER/a/node_modules/.bin", "$OTHER/a/node_modules/.bin/"],
  ["$OTHER/vendor/.bin", "$OTHER/b/node_modules/.bin", "$OTHER/b//node_modules//.bin"],
  // The folder that `bun run` puts on PATH, no matter who created it.
  ["$OTHER/bun-node-1", "$OTHER/bun-node-1", "$OTHER/bun-node-1//", "$OTHER/bun-node-1/./."],
  ["$OTHER/bun-node-1", "$OTHER/x/../bun-node-1", "$OTHER/bun-node-1/x/..", "$LINKS/run"],
  ["$OTHER/linked", "$LINKS/bun-node-2", "$LINKS/bun-node-2/", "$LINKS/bun-node-2/."],
  // Links replaced by a command that may write the current directory.
  ["$OTHER/linked", "$CWD/out", "$CWD/out/", "$LINKS/here/out", "$CWD/x/out", "/proc/self/cwd/out"],
  ["$OTHER/linked", "$LINKS/hop", "$LINKS/hop/.", "$LINKS/hops", "$LINKS/hops//", "$LINKS/near"],
  // The programs themselves are links.
  ["bin", "$LINKS/to-bin", "$LINKS/to-bin/.", "$LINKS/again"],
  [".", "$LINKS/to-cwd"],
  ["..", "$LINKS/to-up"],
  ["$OTHER/linked", "$LINKS/by-folder", "$LINKS/by-file", "$LINKS/by-up", "$LINKS/by-newline"],
  ["$OTHER/bun-node-1", "$LINKS/to-run"],
  ["$OTHER/linked", "$LINKS/by-run"],
  // Links in a world-writable directory above.
  ["$OTHER/linked", "$UP/elsewhere", "$UP/./elsewhere/", "$LINKS/by-shared", "$LINKS/shared"],
];

/** Folders of links to the programs, by the links' targets from `$LINKS/FOLDER`. */
const linked: Readonly<Record<string, string>> = {
  ...{ "to-bin": "$CWD/bin", again: "../to-bin", "to-cwd": "$CWD", "to-up": "$UP" },
  ...{
    "by-folder": "$CWD/out",
    "by-file": "$CWD/links",
    "by-up": "$UP",
    "by-shared": "$UP/elsewhere",
  },
  ...{ "to-run": "$OTHER/bun-node-1", "by-run": "../bun-node-2" },
};

function makeScene(name: string): Scene {
  const root = tempDir();
  const $UP = join(root, "up");
  const $CWD = join($UP, name);
  const $LINKS = join(root, "links");
  const $OTHER = join(root, "other");
  const modules = join($OTHER, "node_modules");
  const inside = ["x", "bin", "a/b"].map((folder) => join($CWD, folder));
  for (const folder of [...inside, $LINKS, join(modules, "x"), join($OTHER, "vendor")]) {
    mkdirSync(folder, { recursive: true });
  }
  const link = (target: string, path: string) => {
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  link($CWD, join($LINKS, "here"));
  link("here", join($LINKS, "twice"));
  link($UP, join($LINKS, "up"));
  link(join($CWD, "bin"), join($LINKS, "in"));
  link(join($CWD, "a/b"), join($LINKS, "deep"));
  link(modules, join($LINKS, "modules"));
  link(join(modules, ".bin"), join($LINKS, "bins"));
  link("node_modules/.bin", join($OTHER, "bin"));
  link("../../linked", join($OTHER, "a/node_modules/.bin"));
  link("../vendor", join($OTHER, "b/node_modules"));
  mkdirSync(join($OTHER, "bun-node-1/x"), { recursive: true });
  mkdirSync(join($OTHER, "x"));
  link(join($OTHER, "bun-node-1"), join($LINKS, "run"));
  link(join($OTHER, "linked"), join($LINKS, "bun-node-2"));
  for (const path of [join($CWD, "out"), join($CWD, "x/out")]) link(join($OTHER, "linked"), path);
  chmodSync($UP, 0o1777);
  link(join($OTHER, "linked"), join($UP, "elsewhere"));
  link(join($UP, "elsewhere"), join($LINKS, "shared"));
  link(join($CWD, "out"), join($LINKS, "hop"));
  link("./hop", join($LINKS, "hops"));
  link(`../up/${name}/./out`, join($LINKS, "near"));
  for (const program of ["bun", "strace"]) {
    link(join($OTHER, "linked", program), join($CWD, "links", program));
    link(join($OTHER, "linked", program), join($UP, `by-up-${program}`));
    for (const [folder, target] of Object.entries(linked)) {
      const file = folder === "by-up" ? `by-up-${program}` : program;
      const filled = target.replace("$CWD", $CWD).replace("$UP", $UP).replace("$OTHER", $OTHER);
      link(join(filled, file), join($LINKS, folder, program));
    }
    // Without its last byte, it would be the name of a harmless link.
    link(`to-${program}\n`, join($LINKS, "by-newline", program));
    link(join($CWD, "links", program), join($LINKS, "by-newline", `to-${program}\n`));
    link(join($OTHER, "linked", program), join($LINKS, "by-newline", `to-${program}`));
  }
  return { $CWD, $UP, $LINKS, $OTHER };
}

/** Current directories that `$(pwd)` reports under another name, or that confuse shells. */
const names = ["cwd", "cwd\n", "-c *", "node_modules"];
const shells = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]].filter(
  ([shell]) => process.env["CI"] || Bun.which(shell!),
);

for (const name of names) {
  describe(`in a directory called ${JSON.stringify(name)}`, () => {
    const good = linkedPrograms();
    const tool = writeStarted();
    const rows: { cwd: string; paths: string[] }[] = [];
    for (const [planted, ...entries] of table) {
      const scene = makeScene(name);
      const { $CWD, $UP, $LINKS, $OTHER } = scene;
      const filled = (text: string) =>
        text
          .replaceAll("$NAME", name)
          .replaceAll("$UPNAME", "up")
          .replaceAll("$CWD", $CWD)
          .replaceAll("$LINKS", $LINKS)
          .replaceAll("$OTHER", $OTHER)
          .replaceAll("$UP", $UP);
      const paths = entries.map((entry) => filled(entry.replaceAll("$UPNAME", "up")));
      const folder = filled(planted);
      plant(folder.startsWith("/") ? folder : join($CWD, folder), "planted");

      test(`Bun is not taken from ${planted}, as ${entries.join(" ")}`, () => {
        const run = (command: readonly string[], PATH: string) => {
          const { stdout, stderr } = Bun.spawnSync([...command], { cwd: $CWD, env: { PATH } });
          return `${stdout}${stderr}`;
        };
        const seen = paths.map((path) => ({
          path,
          plain: run(["/bin/sh", "-c", "bun"], path),
          ours: shells.map((shell) =>
            run(
              [Bun.which(shell[0]!)!, ...shell.slice(1), tool, "--version"],
              `/none:${path}:${good}`,
            ),
          ),
        }));
        const ours = shells.map(() => "right\n");
        expect(seen).toEqual(paths.map((path) => ({ path, plain: "planted\n", ours })));
      });
      rows.push({ cwd: $CWD, paths });
    }

    test("strace is not taken from any of them", () => {
      const find = join(import.meta.dir, "..", "..", "src", "trace", "find.ts");
      const script = join(tempDir(), "find.ts");
      const text = `import { findStrace } from ${JSON.stringify(find)};
        for (const { cwd, paths } of ${JSON.stringify(rows)}) {
          process.chdir(cwd);
          for (const path of paths) {
            process.env["PATH"] = \`/none:\${path}:${good}\`;
            const found = findStrace();
            if (found !== "${good}/strace") console.log(JSON.stringify({ cwd, path, found }));
          }
        }
        console.log("end");`;
      writeFileSync(script, text);
      const { stdout } = Bun.spawnSync([process.execPath, script]);
      expect(`${stdout}`).toBe("end\n");
    });
  });
}

/** Allowed programs, as links in a folder behind links. */
function linkedPrograms(): string {
  const root = tempDir();
  plant(join(root, "lib/tool/bin"), "right");
  mkdirSync(join(root, "bin"));
  for (const name of ["bun", "strace"]) {
    symlinkSync(`../lib/./tool/${name}`, join(root, "bin", name));
    symlinkSync(join(root, "lib/tool/bin", name), join(root, "lib/tool", name));
  }
  symlinkSync("bin", join(root, "good bin"));
  return join(root, "good bin");
}

/** Runs a line of sh in a new folder, with a good Bun in `$good`. */
function sh(line: string, shell: readonly string[] = ["/bin/sh"], cwd = tempDir()) {
  const good = tempDir();
  plant(good, "right");
  const env = { PATH: `/usr/bin:/bin`, good, LL: writeStarted(), sh: shell.join(" ") };
  const { stdout, stderr, exitCode } = Bun.spawnSync(["/bin/sh", "-c", line], { cwd, env });
  return { stdout: `${stdout}`, stderr: `${stderr}`, code: exitCode };
}

const ownFileUnknown =
  "landlock-restrict: cannot find its own file: call it by its path, without naming a shell\n";

for (const [name, ...words] of shells) {
  const shell = [Bun.which(name!)!, ...words];
  const call = shell.join(" ");

  test(`a stranger's node_modules/.bin is not that of the program, by ${call}`, () => {
    const { stdout } = sh(
      `mkdir -p evil/node_modules/.bin evil/node_modules/pkg inst/node_modules/.bin
      printf '#!/bin/sh\\necho planted\\n' >evil/node_modules/.bin/bun
      chmod +x evil/node_modules/.bin/bun; cp "$LL" inst/node_modules/.bin/landlock-restrict
      evil=$PWD/evil; cd evil/node_modules/pkg; tool=../../../inst/node_modules/.bin/landlock-restrict
      PATH=$evil/node_modules/.bin:$good $sh $tool
      PATH=$evil/node_modules/.bin:$good $sh $evil/node_modules/pkg/$tool
      PATH=$evil/node_modules/.bin:$good $sh $evil/node_modules/.bin/../../../inst/node_modules/.bin/landlock-restrict`,
      shell,
    );
    expect(stdout).toBe("right\n".repeat(3));
  });

  test(`a bun beneath the current directory counts if the program is there too, by ${call}`, () => {
    const { stdout } = sh(
      `mkdir -p a/tools a/b; printf '#!/bin/sh\\necho beneath\\n' >a/tools/bun; chmod +x a/tools/bun
      cp "$LL" a/b/ll; PATH=$PWD/a/tools:$good; export PATH
      $sh a/b/ll; $sh ./a/b/ll; $sh "$PWD/a/b/ll"; $sh "$LL"; up=$PWD; cd a; $sh b/ll
      cd b; $sh ./ll; cd ../tools; $sh ../b/ll; cd /; $sh "$LL"; $sh "$up/a/b/ll"`,
      shell,
    );
    const said = [...["beneath", "beneath", "beneath", "right", "beneath"], "beneath", "right"];
    expect(stdout).toBe([...said, "beneath", "beneath", ""].join("\n"));
  });

  test(`a link counts if nobody else decides where it leads, by ${call}`, () => {
    const { stdout } = sh(
      `mkdir -p up/cwd/node_modules/.bin up/cwd/node_modules/bun far/bin
      up=$PWD/up; ln -s "$good" up/tools; ln -s "$PWD/up/cwd/node_modules/bun/bun" far/bin/bun
      plant() { printf '#!/bin/sh\\necho %s\\n' "$2" >"$1"; chmod +x "$1"; }
      plant up/cwd/node_modules/bun/bun own; ln -s ../bun/bun up/cwd/node_modules/.bin/bun
      cp "$LL" up/cwd/node_modules/.bin/ll; far=$PWD/far/bin; cd up/cwd
      PATH=$up/tools:/bin $sh "$LL"; chmod 777 ..; PATH=$up/tools $sh "$LL" 2>&1 | wc -c
      PATH=$up/cwd/node_modules/.bin:$good $sh node_modules/.bin/ll; PATH=$far $sh node_modules/.bin/ll
      PATH=$far:$good $sh "$LL"; cd /; PATH=$far:$good $sh "$LL"`,
      shell,
    );
    const refused =
      "landlock-restrict: cannot find Bun: put the absolute path of its folder on PATH; folders in or above the current directory do not count\n";
    expect(stdout).toBe(`right\n${refused.length}\nown\nown\nright\nown\n`);
  });

  test(`a current directory that was removed, and made again, is refused, by ${call}`, () => {
    const { stdout, stderr, code } = sh(
      `mkdir cwd; cd cwd; rmdir ../cwd; mkdir ../cwd; printf '#!/bin/sh\\necho planted\\n' >../cwd/bun
      chmod +x ../cwd/bun; PATH=$PWD:$good exec $sh "$LL"`,
      shell,
    );
    expect(stderr).toEndWith(
      "landlock-restrict: cannot reach the current directory by its path: start in another one\n",
    );
    expect({ stdout, code }).toEqual({ stdout: "", code: 125 });
  });

  test(`a name that ${call} looks up on PATH is no file for Bun to guess`, () => {
    const cwd = tempDir();
    for (const extension of ["ts", "tsx", "js", "mjs", "cjs", "json"]) {
      writeFileSync(join(cwd, `landlock-restrict.${extension}`), 'console.log("planted");');
    }
    const line = `mkdir "$good/bin"; cp "$LL" "$good/bin/landlock-restrict"
      PATH=$good/bin:${dirname(process.execPath)}:$PATH $sh landlock-restrict --version`;
    const { stdout, stderr, code } = sh(line, shell, cwd);
    expect({ stdout, isSuccess: code === 0 }).toEqual({ stdout: "", isSuccess: false });
    if (name !== "bash") return;
    expect({ stderr, code }).toEqual({ stderr: ownFileUnknown, code: 125 });
  });

  test(`a file called as ${call} is not run if that reads the program as input or text`, () => {
    const cwd = tempDir();
    for (const file of ["sh", "bash", "-bash", "dash", "busybox", "posix", basename(shell[0]!)]) {
      writeFileSync(join(cwd, file), "#!/bin/sh\necho planted\n", { mode: 0o755 });
    }
    const folder = dirname(process.execPath);
    const lines = [
      'exec $sh -s -- --version <"$LL"',
      'exec $sh -s x <"$LL"',
      'cat "$LL" | $sh',
      'exec $sh -c "$(cat "$LL")"',
      'exec $sh -c "$(cat "$LL")" bash --version',
      `exec $sh -c '. "$LL"'`,
      `exec $sh -c 'eval "$(cat "$LL")"' -bash`,
    ];
    const ended = lines.map((line) =>
      sh(
        `PATH=${folder}:$PATH; export PATH; sh="${words.join(" ")}"
        sh="${name} $sh"; ${line}`,
        shell,
        cwd,
      ),
    );
    expect(ended).toEqual(lines.map(() => ({ stdout: "", stderr: ownFileUnknown, code: 125 })));
  });
}
