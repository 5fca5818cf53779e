/** Folds files into the directories that a person would name. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FsRight } from "../../src/kernel/abi.ts";
import { fold, rightsOn, withoutCovered } from "../../src/advise/fold.ts";
import { GoverningPlaces } from "../../src/advise/governing-places.ts";
import { mayHoldGoverning } from "../../src/advise/governing.ts";
import { Names } from "../../src/learn/names.ts";
import { Places } from "../../src/advise/places.ts";
import { Secrets } from "../../src/advise/secrets.ts";
import { isProject, isWide, zoneOf } from "../../src/advise/zones.ts";
import { tempDir } from "../harness.ts";

// Paths without any files, because folding looks for secrets in them.
const home = "/none/home";
const around = {
  project: "/none/app",
  home,
  secrets: new Secrets(home),
  governing: new GoverningPlaces(home, undefined),
};

function folded(grants: Record<string, readonly FsRight[]>): Record<string, string> {
  const map = new Map(Object.entries(grants).map(([path, rights]) => [path, new Set(rights)]));
  return Object.fromEntries(
    [...fold(map, around)].map(([path, rights]) => [path, [...rights].sort().join(" ")]),
  );
}

const read: readonly FsRight[] = ["read_file"];
const write: readonly FsRight[] = ["write_file", "truncate"];

describe("fold", () => {
  test("one file stays itself, several of a place become it", () => {
    expect(folded({ "/none/app/src/a": read })).toEqual({ "/none/app/src/a": "read_file" });
    expect(
      folded({
        "/none/app/src/deep/a": read,
        "/none/app/src/deep/b/c": ["read_file", "read_dir"],
        "/none/app/main": read,
        "/none/app/other": read,
      }),
    ).toEqual({
      "/none/app/src/deep": "read_dir read_file",
      "/none/app/main": "read_file",
      "/none/app/other": "read_file",
    });
  });

  test("what the system and packages bring along folds to the whole of it", () => {
    expect(
      folded({
        "/usr/lib/python3.11/os.py": read,
        "/usr/lib/python3.11/json/decoder.py": read,
        "/usr/share/misc/magic": read,
        "/none/app/node_modules/a/b.js": read,
        "/none/app/.git/HEAD": read,
        "/usr/lib/x86_64-linux-gnu/a/b/1": read,
        "/usr/lib/x86_64-linux-gnu/a/c/2": read,
      }),
    ).toEqual({
      "/usr/lib/python3.11": "read_file",
      "/usr/share/misc": "read_file",
      "/none/app/node_modules": "read_file",
      "/none/app/.git": "read_file",
      "/usr/lib/x86_64-linux-gnu/a": "read_file",
    });
  });

  test("nothing folds to what others have files in", () => {
    const files = [
      ...["/etc/a", "/etc/b", "/none/home/a", "/none/home/b", "/none/a", "/none/b", "/dev/a"],
      ...["/dev/b"],
    ];
    const grants = Object.fromEntries(files.map((path) => [path, read]));
    expect(Object.keys(folded(grants)).sort()).toEqual([...files].sort());
    expect(
      folded({ "/none/home/.config/tool/a": read, "/none/home/.config/tool/b": read }),
    ).toEqual({
      "/none/home/.config/tool": "read_file",
    });
    expect(folded({ "/etc/tool/a": read, "/etc/tool/b/c": read })).toEqual({
      "/etc/tool": "read_file",
    });
  });

  test("what is written folds only where it is much, and apart from what is read", () => {
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => `/none/app/out/${name}`) as [
      string,
      string,
      string,
      string,
    ];
    expect(Object.keys(folded({ [a]: write, [b]: write, [c]: read }))).toEqual([a, b, c]);
    expect(folded({ [a]: write, [b]: write, [c]: write, [d]: read })).toEqual({
      "/none/app/out": "truncate write_file",
      [d]: "read_file",
    });
  });

  test("rights on devices and sockets stay with them", () => {
    const rights: readonly FsRight[] = ["read_file", "ioctl_dev"];
    expect(
      Object.keys(
        folded({ "/run/x/a": ["resolve_unix"], "/run/x/b": ["resolve_unix"], "/dev/tty": rights }),
      ),
    ).toEqual(["/run/x/a", "/run/x/b", "/dev/tty"]);
  });

  test("a directory with a secret in it is left alone", () => {
    const project = realpathSync(tempDir());
    mkdirSync(join(project, "src/a"), { recursive: true });
    for (const name of ["src/.env", "src/x", "src/a/1", "src/a/2"])
      writeFileSync(join(project, name), "");
    const grants = new Map(
      ["src/x", "src/a/1", "src/a/2"].map((name) => [join(project, name), new Set(read)]),
    );
    const result = fold(grants, { ...around, project });
    expect([...result.keys()].sort()).toEqual([join(project, "src/a"), join(project, "src/x")]);
  });

  test("what is granted above is not said again", () => {
    const grants = new Map<string, Set<FsRight>>([
      ["/a/b/c", new Set(["read_file", "write_file"] as const)],
      ["/a/b", new Set(read)],
      ["/a/bc", new Set(read)],
      ["/a/b/d", new Set(read)],
    ]);
    const left = withoutCovered(grants);
    expect([...left].map(([path, rights]) => [path, ...rights])).toEqual([
      ["/a/b", "read_file"],
      ["/a/bc", "read_file"],
      ["/a/b/c", "write_file"],
    ]);
    for (const path of grants.keys()) expect(rightsOn(left, path)).toEqual(rightsOn(grants, path));
  });
});

test("no directory that others have files in is granted or a zone, at any depth", () => {
  const wide = [
    ...["/", "/etc", "/home", "/home/eve", "/root", "/var", "/run", "/dev", "/proc", "/sys"],
    ...["/tmp", "/usr", "/usr/lib", "/var/lib", "/data", "/none", "/none/home"],
  ];
  expect(wide.filter((path) => !isWide(path, around))).toEqual([]);
  const fine = [
    "/none/app",
    "/none/app/src",
    "/none/home/x",
    "/etc/tool",
    "/srv/www",
    "/usr/lib/git-core",
  ];
  expect(fine.filter((path) => isWide(path, around))).toEqual([]);
  expect(isWide("/app", { ...around, project: "/app" })).toBe(false);
  expect(
    ["/app", "/srv/x", "/etc", "/tmp", "/none/home", "/home/eve"].map((path) =>
      isProject(path, around.home),
    ),
  ).toEqual([true, true, false, false, false, false]);
  expect(zoneOf("/dev/null", around)).toBeUndefined();
  expect(zoneOf("/proc/self", around)).toBeUndefined();
  expect(zoneOf("/dev/pts/3", around)).toBeUndefined();
});

test("files of the run stand for the directory that was there before", () => {
  const folder = realpathSync(tempDir());
  mkdirSync(join(folder, "old"));
  const old = new Places(BigInt(Date.now() + 60_000) * 1_000_000n);
  const fresh = new Places(0n);
  const later = join(folder, "old/gone/file");
  expect(old.anchor(join(folder, "old"))).toEqual({
    path: join(folder, "old"),
    type: "directory",
    instead: false,
  });
  expect(old.anchor(later)).toEqual({
    path: join(folder, "old"),
    type: "directory",
    instead: true,
  });
  // A test creates all its files after 1970.
  expect(folder).toStartWith(fresh.anchor(later).path);
  expect(fresh.anchor(later).path).not.toBe(folder);
  expect(fresh.anchor("/proc/self/../meminfo").instead).toBe(false);
});

test("paths are written as people write them", () => {
  const plain = { base: "/p", project: "/p", home: "/h", known: {} };
  const names = new Names(plain);
  const paths = ["/p", "/p/a", "/p/~b", "/h/c$d", "/pq", "/etc"];
  expect(paths.map((path) => names.write(path))).toEqual([
    ".",
    "a",
    "./~b",
    "${HOME}/c$$d",
    "/pq",
    "/etc",
  ]);
  expect([...names.variables]).toEqual([["HOME", { env: "HOME" }]]);
  const elsewhere = new Names({ ...plain, base: "/q", known: { HOME: "/other", PROJECT: "/p" } });
  expect(paths.map((path) => elsewhere.write(path)).slice(0, 4)).toEqual([
    "${PROJECT}",
    "${PROJECT}/a",
    "${PROJECT}/~b",
    "/h/c$$d",
  ]);
  expect([...elsewhere.variables]).toEqual([]);
});

test("a directory that the project is in is not granted for files of two of its neighbours", () => {
  const home = realpathSync(tempDir());
  const files = ["one/file", "two/file"].map((name) => join(home, "src", name));
  for (const path of [...files, join(home, "src/app/file")]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
  }
  const grants = new Map(files.map((path) => [path, new Set(["read_file" as const])]));
  const keys = (project: string) => [...fold(grants, { ...around, home, project }).keys()].sort();
  expect(keys(join(home, "src/app"))).toEqual(files);
  expect(keys(join(home, "other"))).toEqual([join(home, "src")]);
});

test("a directory that cannot be looked through may hold what governs", () => {
  const directory = tempDir();
  expect(mayHoldGoverning(directory, undefined)).toBe(false);
  expect(mayHoldGoverning(join(directory, "x".repeat(256)), undefined)).toBe(true);
  mkdirSync(join(directory, ".git"));
  expect(mayHoldGoverning(directory, undefined)).toBe(true);
});
