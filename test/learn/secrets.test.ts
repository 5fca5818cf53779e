/** Secrets are never granted silently. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Secrets } from "../../src/advise/secrets.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { Scene } from "./scene.ts";

const home = "/home/ann";
const secrets = new Secrets(home);

/** The names that are secrets in a folder. */
function secretOf(folder: string, names: readonly string[], judge = secrets): string[] {
  return names.filter((name) => judge.has(`${folder}/${name}`));
}

describe("secrets by name", () => {
  test("keys, tokens and profiles in any home directory", () => {
    const names = [
      ...[".ssh", ".ssh/id_ed25519", ".aws/credentials", ".gnupg/trustdb.gpg", ".kube/config"],
      ...[".config/gh/hosts.yml", ".netrc", ".npmrc", ".docker/config.json", ".git-credentials"],
      ...[".mozilla/firefox/x/logins.json", ".config/google-chrome/Default/Cookies"],
      ...[".local/share/keyrings/login.keyring", ".bash_history", ".cargo/credentials.toml"],
      ...[
        ".Xauthority",
        ".ICEauthority",
        ".subversion/auth/svn.simple/a",
        ".snowflake/config.toml",
      ],
      ...[".config/Code/User/globalStorage/state.vscdb", ".config/github-copilot/apps.json"],
      ...[".config/wireguard/wg0.conf", ".config/configstore/firebase-tools.json", ".age/key.txt"],
      ...[".cloudflared/cert.pem", ".ngrok2/ngrok.yml", ".dbt/profiles.yml", ".openai/key"],
      ...[".config/filezilla/sitemanager.xml", ".local/share/fish/fish_history"],
      ...[".config/rclone/rclone.conf", ".pgpass", ".claude/.credentials.json", ".m2/settings.xml"],
    ];
    const elsewhere = new Secrets("/data/people/eve");
    for (const folder of [home, "/home/other", "/root", "/data/people/eve"]) {
      // The settings of a missing home cannot be read.
      const known = folder.startsWith("/home/") ? names.filter((name) => name !== ".npmrc") : names;
      expect([folder, ...secretOf(folder, known, elsewhere)]).toEqual([folder, ...known]);
    }
    const others = [
      ...[".config/configstore/update-notifier-npm.json", ".subversion/config", ".dbt/x"],
      ...[".bashrc", ".config/git/config", ".docker/daemon.json", ".cache/x", "ssh/a"],
    ];
    expect(secretOf(home, others)).toEqual([]);
    // Also in the homes of daemons, in backups and in dotfiles.
    for (const folder of ["", "/var/lib/daemon", "/mnt/backup/eve", "/srv/dotfiles"]) {
      expect(secretOf(folder, [".ssh/config", ".kube", "ssh"])).toEqual([".ssh/config", ".kube"]);
    }
  });

  test("those of the system", () => {
    const names = [
      ...["shadow", "shadow-", "gshadow-", "security/opasswd", "sudoers.d/a", "krb5.keytab"],
      ...["ssh/ssh_host_rsa_key", "ssl/private/a", "letsencrypt/live/a/privkey.pem"],
      ...["wireguard/wg0.conf", "ppp/chap-secrets", "ipsec.secrets"],
    ];
    expect(secretOf("/etc", names)).toEqual(names);
    expect(secretOf("", ["run/secrets/db", "run/credentials/x/y"])).toHaveLength(2);
    const others = [
      ...["passwd", "passwd-", "group-", "ssh/ssh_config", "ssh/ssh_host_rsa_key.pub"],
      ...["ssl/certs/ca-certificates.crt", "hosts", "security/limits.conf"],
    ];
    expect(secretOf("/etc", others)).toEqual([]);
  });

  const secretNames = [
    ...[".env", ".env.local", ".env.production", ".env-prod", ".env_prod", ".envrc", "prod.env"],
    ...[".ENV", ".env.bak", ".env~", "#.env#", ".\u002eenv.swp", ".env.example.local", ".dev.vars"],
    ...[
      "id_rsa",
      "id_rsa_work",
      "id_ed25519.bak",
      "id_ecdsa_sk",
      "id_rsa-old",
      "deploy_ed25519.key",
    ],
    ...[
      ...["store.p12", "a.pfx", "a.jks", "a.keystore", "db.kdbx", "a.ppk"],
      ...["terraform.tfstate.backup"],
    ],
    ...["access_token", "github-token.txt", "token.json", "api-key", "apikey.txt", "private_key"],
    ...[
      "credentials.json",
      ".credentials.json",
      "secrets.yaml",
      "app-secrets.prod.yml",
      ".secrets",
    ],
    ...["client_secret_1.apps.example.com.json", "passwords.csv", "password", "db_password.txt"],
    ...["service-account.json", "my-service-account-1.json", "serviceaccount.json", "auth.json"],
    ...["kubeconfig", "prod.kubeconfig", "kubeconfig.yaml", "secrets/db", "config/.secrets/a.json"],
    ...[".git-credentials", ".netrc", "_netrc", ".pgpass", ".htpasswd", ".dockercfg"],
    ...["wp-config.php", "krb5cc_1000", "krb5cc"],
    ...["master.key", "server.key", ".zsh_history", ".docker/config.json", ".kube/config"],
  ];

  test("of settings, tokens and stores of keys, wherever they are", () => {
    for (const folder of ["/srv/app", "/opt/app", "/usr/local/app", "/usr/src/app", "/"]) {
      expect([folder, ...secretOf(folder, secretNames)]).toEqual([folder, ...secretNames]);
    }
  });

  test("not of templates, code, pages, pictures and public keys", () => {
    const others = [
      ...[
        ".env.example",
        ".env.sample",
        ".env-template",
        "example.env",
        ".environment",
        "env.d.ts",
      ],
      ...["id_card.png", "id_rsa.pub", "id_rsa_work.pub", "id_rsa.old.pub", "keys.ts", "key.png"],
      ...[
        "environment",
        "environment.ts",
        "tokenizer.ts",
        "tokenizer.json",
        "token.ts",
        "tokens.css",
      ],
      ...[
        "credentials.ts",
        "secretary.txt",
        "secrets/index.ts",
        "password-reset.html",
        "README.md",
      ],
      ...["special_tokens_map.json", "keyboard.json", "monkey.txt", "history.txt", "tokenless"],
    ];
    expect(secretOf("/srv/app", others)).toEqual([]);
  });

  test("of what came with the system only keys and settings of environments", () => {
    const weak = ["share/doc/token", "lib/credentials", "share/secret"];
    expect(secretOf("/usr", weak)).toEqual([]);
    const strong = ["lib/app/.env", "share/app/id_rsa", "lib/app/prod.env", "lib/app/store.p12"];
    expect(secretOf("/usr", strong)).toEqual(strong);
    for (const folder of ["/opt", "/usr/local", "/usr/src"]) {
      expect(secretOf(folder, ["app/token", "app/credentials"])).toHaveLength(2);
    }
    expect(secretOf("/srv/node_modules", ["jsonwebtoken/token", "x/.env"])).toEqual(["x/.env"]);
  });
});

test("the homes of all users have secrets at the same places, whatever HOME is", () => {
  const homes = readFileSync("/etc/passwd", "latin1")
    .split("\n")
    .map((line) => line.split(":")[5] ?? "")
    .filter((folder) => existsSync(folder) && !/^\/((usr|lib|s?bin|etc|dev)\b|$)/.test(folder));
  expect(homes.length).toBeGreaterThan(0);
  const judge = new Secrets(undefined);
  expect(homes.filter((folder) => !judge.has(`${folder}/.npmrc`))).toEqual([]);
});

describe("secrets by content", () => {
  test("where a name does not tell, all of the file does", () => {
    const folder = tempDir();
    const key = "-----BEGIN EC PRIVATE KEY-----\n";
    const certificate = `-----BEGIN CERTIFICATE-----\n${"A".repeat(63)}\n`;
    const files: Record<string, string | Buffer> = {
      "public.pem": "-----BEGIN PUBLIC KEY-----\n",
      "public.key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
      "chain.pem": certificate.repeat(100),
      "cert.der": Buffer.from("308201003081a0a003020102", "hex"),
      "public.der": Buffer.from("30593013" + "06072a8648ce3d0201", "hex"),
      "plain.p8": "",
      "private.pem": key,
      "combined.pem": certificate.repeat(100) + key,
      "late.crt": certificate.repeat(10_000) + key,
      "long.pem": certificate.repeat(20_000),
      "rsa.der": Buffer.from("308204a40201000282", "hex"),
      "short.der": Buffer.from("30770201010420", "hex"),
      "encrypted.der": Buffer.from("3081ec305706092a864886f70d01050d", "hex"),
      "raw.key": Buffer.alloc(32, 7),
      deploy_rsa: key,
      "notes.txt": "-----BEGIN OPENSSH PRIVATE KEY-----\n",
      "work-laptop": key,
      "key.asc": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
      "key-public.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
      "about.txt": "It starts with -----BEGIN PRIVATE KEY-----\n",
      ".yarnrc.yml": "npmAuthToken: abc\n",
      ".npmrc": "//registry.example/:_authToken=abc\n",
      "pip.conf": "index-url = https://ann:pw@pypi.example/\n",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const names = Object.keys(files);
    const free = ["public.pem", "public.key", "chain.pem", "cert.der", "public.der", "plain.p8"];
    free.push("key-public.asc", "about.txt");
    expect(names.filter((name) => !secretOf(folder, [name]).length)).toEqual(free);
    writeFileSync(join(folder, ".npmrc"), "save-exact=true\n");
    expect(secretOf(folder, [".npmrc", "gone.key", "gone.pem"])).toEqual(["gone.key", "gone.pem"]);
    mkdirSync(join(folder, ".git"));
    const remote = "https://ann:token@git.example/a";
    writeFileSync(join(folder, ".git/config"), `[remote "origin"]\n\turl = ${remote}\n`);
    expect(secrets.has(join(folder, ".git/config"))).toBe(true);
    writeFileSync(join(folder, ".git/config"), "[core]\n\tbare = false\n");
    expect(secrets.has(join(folder, ".git/config"))).toBe(false);
  });
});

test("secrets within a directory are the nearest, no link is followed, and it ends", () => {
  const folder = tempDir();
  mkdirSync(join(folder, "a/b"), { recursive: true });
  mkdirSync(join(folder, "node_modules/x"), { recursive: true });
  for (const name of ["a/b/.env", "a/plain", "node_modules/x/.env"])
    writeFileSync(join(folder, name), "");
  symlinkSync(folder, join(folder, "a/loop"));
  const env = join(folder, "a/b/.env");
  const without = { withoutPackages: true };
  expect(secrets.within(folder, without)).toEqual({ found: [env], complete: true });
  expect(secrets.within(folder).found.toSorted()).toEqual([
    env,
    join(folder, "node_modules/x/.env"),
  ]);
  writeFileSync(join(folder, "token"), "");
  const found = [join(folder, "token")];
  expect(secrets.within(folder, { max: 1 })).toEqual({ found, complete: true });
  expect(secrets.within(join(folder, "none"))).toEqual({ found: [], complete: true });
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
    expect(stderr).toContain("Careful: secrets in granted directories");
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
  // Programs that are only executed, and files written elsewhere, are not secrets.
  expect((await scene.learn(["sh", "-c", "./tool; true"])).stderr).toContain(careful);
  expect(await Bun.file(scene.policy).text()).toMatch(/^# {3}\S*tool$/m);
  scene.empty();
  expect((await scene.learn(["sh", "-c", "echo new >made"])).stderr).not.toContain(careful);
});

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "explain says which of the files that it names are secrets",
  async () => {
    const scene = new Scene(tempDir());
    const cli = scene.learning("p.toml", []).slice(0, -4);
    writeFileSync(join(scene.home, ".npmrc"), "x");
    symlinkSync("../home/.npmrc", join(scene.project, "settings"));
    scene.write("plain", "x");
    const explain = [...cli, "explain", "-ro", "/usr", "/bin", "/lib", "/etc", "--", "cat"];
    const careful = "Not advised: it is a secret";
    const { stderr } = await scene.run([...explain, "settings", "plain"]);
    expect(stderr).toContain(careful);
    expect(stderr).toContain(`needs: ${join(scene.home, ".npmrc")}.`);
    expect((await scene.run([...explain, "plain"])).stderr).not.toContain(careful);
  },
);
