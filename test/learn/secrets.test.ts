/** What is never granted silently. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSecret, secretsIn } from "../../src/learn/secrets.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { Scene } from "./scene.ts";

const home = "/home/ann";

describe("isSecret", () => {
  test("keys, tokens and profiles in any home directory", () => {
    const names = [
      ...[".ssh", ".ssh/id_ed25519", ".aws/credentials", ".gnupg/trustdb.gpg", ".kube/config"],
      ...[".config/gh/hosts.yml", ".netrc", ".npmrc", ".docker/config.json", ".git-credentials"],
      ...[".mozilla/firefox/x/logins.json", ".config/google-chrome/Default/Cookies"],
      ...[".local/share/keyrings/login.keyring", ".bash_history", ".cargo/credentials.toml"],
    ];
    for (const folder of [home, "/home/other", "/root", "/data/people/eve"]) {
      const secret = names.filter((name) => isSecret(`${folder}/${name}`, "/data/people/eve"));
      expect([folder, ...secret]).toEqual([folder, ...names]);
    }
    const others = [".bashrc", ".config/git/config", ".docker/daemon.json", ".cache/x", "ssh/a"];
    expect(others.filter((name) => isSecret(`${home}/${name}`, home))).toEqual([]);
  });

  test("those of the system", () => {
    const paths = [
      "/etc/shadow",
      "/etc/sudoers.d/a",
      "/etc/ssh/ssh_host_rsa_key",
      "/run/secrets/db",
    ];
    expect(paths.filter((path) => isSecret(path, home))).toEqual(paths);
    const others = [
      "/etc/passwd",
      "/etc/ssh/ssh_config",
      "/etc/ssh/ssh_host_rsa_key.pub",
      "/etc/ssl/certs/a.pem",
    ];
    expect(others.filter((path) => isSecret(path, home))).toEqual(["/etc/ssl/certs/a.pem"]);
  });

  test("names of settings, tokens and stores of keys, wherever they are", () => {
    const names = [
      ...[".env", ".env.local", ".env.production", "id_rsa", "store.p12", "access_token"],
      ...["github-token.txt", "token.json", "credentials.json", "secrets.yaml", "db.kdbx"],
    ];
    expect(names.filter((name) => isSecret(`/srv/app/${name}`, home))).toEqual(names);
    const others = [
      ...[".env.example", ".env.sample", "tokenizer.ts", "token.ts", "tokens.css", "environment"],
      ...["credentials.ts", "secretary.txt", "id_rsa.pub", "README.md"],
    ];
    expect(others.filter((name) => isSecret(`/srv/app/${name}`, home))).toEqual([]);
    expect(isSecret("/usr/share/doc/token", home)).toBe(false);
    expect(isSecret("/srv/app/node_modules/jsonwebtoken/token", home)).toBe(false);
  });

  test("where a name does not tell, what is in the file does", () => {
    const folder = tempDir();
    const files = {
      "public.pem": "-----BEGIN CERTIFICATE-----\n",
      "private.pem": "-----BEGIN EC PRIVATE KEY-----\n",
      ".npmrc": "//registry.example/:_authToken=abc\n",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const secret = Object.keys(files).filter((name) => isSecret(join(folder, name), home));
    expect(secret).toEqual(["private.pem", ".npmrc"]);
    writeFileSync(join(folder, ".npmrc"), "save-exact=true\n");
    expect(isSecret(join(folder, ".npmrc"), home)).toBe(false);
    expect(isSecret(join(folder, "gone.key"), home)).toBe(true);
  });
});

test("secretsIn looks through directories, follows no link and ends", () => {
  const folder = tempDir();
  mkdirSync(join(folder, "a/b"), { recursive: true });
  mkdirSync(join(folder, "node_modules/x"), { recursive: true });
  for (const name of ["a/b/.env", "a/plain", "node_modules/x/.env"])
    writeFileSync(join(folder, name), "");
  symlinkSync(folder, join(folder, "a/loop"));
  const env = join(folder, "a/b/.env");
  expect(secretsIn(folder, home)).toEqual({ found: [env], complete: true });
  writeFileSync(join(folder, "token"), "");
  expect(secretsIn(folder, home).found).toHaveLength(2);
  expect(secretsIn(folder, home, 1)).toEqual({ found: [join(folder, "token")], complete: true });
  expect(secretsIn(join(folder, "none"), home)).toEqual({ found: [], complete: true });
});

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "a secret that was read is listed apart and stays denied, and folding leaves it out",
  async () => {
    const scene = new Scene(tempDir());
    const key = join(scene.home, ".ssh/id_ed25519");
    writeFileSync(key, "key");
    chmodSync(key, 0o600);
    for (const name of ["settings/a", "settings/b", "settings/.env", "docs/a", "docs/b"])
      scene.write(name, name);
    const files = ["settings/a", "settings/b", "settings/.env", "docs/a", "docs/b", key];
    const read = ["cat", ...files];
    const { code, stderr } = await scene.learn(read);
    expect(code).toBe(0);
    const text = await Bun.file(scene.policy).text();
    const policy = Bun.TOML.parse(text) as { ro: string[]; roFiles: string[] };
    expect(policy.ro).toContain("${PROJECT}/docs");
    expect(policy.roFiles).toEqual(
      expect.arrayContaining(["${PROJECT}/settings/a", "${PROJECT}/settings/b"]),
    );
    for (const said of [stderr, text]) {
      expect(said).toContain('"${HOME}/.ssh/id_ed25519": read_file');
      expect(said).toContain('"${PROJECT}/settings/.env": read_file');
    }
    const again = await scene.restricted(read);
    expect(again.stdout).toBe("settings/asettings/bdocs/adocs/b");
    expect(again.stderr).toContain(`${key}: Permission denied`);
    expect(again.stderr).toContain("settings/.env: Permission denied");
  },
);

testUnless(
  needsStrace,
  "a secret in a directory that has to be granted is told about",
  async () => {
    const scene = new Scene(tempDir());
    scene.write(".env", "PASSWORD=1");
    const { stderr } = await scene.learn(["sh", "-c", "echo new >made; cat made"]);
    expect(stderr).toContain("Careful: secrets that come with a directory above");
    expect(stderr).toContain("${PROJECT}/.env");
  },
);

testUnless(needsStrace, "a policy that its program can write to is told about", async () => {
  const scene = new Scene(tempDir());
  const make = ["sh", "-c", "echo new >made"];
  expect((await scene.learn(make)).stderr).not.toContain("its own policy");
  scene.empty();
  const inside = await scene.run(scene.learning("policy.toml", make));
  expect(inside.stderr).toContain("can write to its own policy");
  expect(await Bun.file(join(scene.project, "policy.toml")).text()).toContain("#   policy.toml\n");
});

testUnless(needsStrace, "a program that its own run can change is told about", async () => {
  const scene = new Scene(tempDir());
  scene.write("tool", "#!/bin/sh\necho new >made\n");
  chmodSync(join(scene.project, "tool"), 0o755);
  const careful = "a run can change these programs";
  // What only runs, and what is written elsewhere, is not meant.
  expect((await scene.learn(["sh", "-c", "./tool; true"])).stderr).toContain(careful);
  expect(await Bun.file(scene.policy).text()).toMatch(/^# {3}\S*tool$/m);
  scene.empty();
  expect((await scene.learn(["sh", "-c", "echo new >made"])).stderr).not.toContain(careful);
});
