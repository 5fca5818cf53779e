/** Files that hold secrets, by their names and, where a name does not tell, by what is in them. */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { basename } from "node:path";

/** Beneath a home directory: keys, tokens, passwords, histories, and profiles of browsers. */
const ofHome =
  /^(\.ssh|\.aws|\.azure|\.gnupg|\.kube|\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.vault-token|\.password-store|\.pgpass|\.my\.cnf|\.mozilla|\.thunderbird|\.\w+_history|\.docker\/config\.json|\.cargo\/credentials(\.toml)?|\.gem\/credentials|\.m2\/settings\.xml|\.terraform\.d\/credentials\.tfrc\.json|\.config\/(gh|hub|gcloud|op|git\/credentials|google-chrome|chromium|BraveSoftware|microsoft-edge|Signal)|\.local\/share\/(keyrings|kwalletd))(\/|$)/;

/** Of the system. */
const ofSystem =
  /^(\/etc\/(shadow|gshadow)-?|\/etc\/sudoers(\.d)?|\/etc\/ssl\/private|\/etc\/ssh\/ssh_host_\w+_key|\/(var\/)?run\/secrets)(\/|$)/;

/** What programs bring along is no secret. */
const public_ = /^\/(usr|lib\w*|bin|sbin|nix|gnu|opt)\/|\/node_modules\//;

const byName = [
  /^\.env(?!.*(example|sample|template|dist|defaults))(\..+)?$/,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/,
  /\.(p12|pfx|jks|keystore|kdbx)$/i,
  /^(?!.*\.(\w?[jt]sx?|py|rb|go|rs|c|h|cc|cpp|java|md|html|css|lock)$).*(^|[._-])(access[._-]?)?tokens?([._-]|$)/i,
  /^(credentials|secrets?)(\.(json|toml|ya?ml|env|txt))?$/i,
];

/** Names of files that may hold a secret or not, and what shows it. */
const byContent: readonly (readonly [RegExp, RegExp])[] = [
  [/\.(pem|key|p8|asc)$/i, /PRIVATE KEY/],
  [/^(\.npmrc|\.yarnrc(\.yml)?|\.?bunfig\.toml)$/, /auth|token|password/i],
];

/**
 * Whether a file, or a directory as a whole, is secret.
 *
 * @param path Absolute, without symbolic links
 * @param home The home directory, if it is known; those in `/home` and root's count anyway
 */
export function isSecret(path: string, home: string | undefined): boolean {
  if (ofSystem.test(path)) return true;
  const beneath = /^(?:\/home\/[^/]+|\/root)\/(.+)$/s.exec(path)?.[1];
  const own = home && path.startsWith(`${home}/`) ? path.slice(home.length + 1) : undefined;
  if ([beneath, own].some((rest) => rest !== undefined && ofHome.test(rest))) return true;
  if (public_.test(path)) return false;
  const name = basename(path);
  if (byName.some((pattern) => pattern.test(name))) return true;
  return byContent.some(([names, what]) => names.test(name) && what.test(headOf(path)));
}

/** Enough for the first line of a key, or for a file of settings. */
const headBytes = 4096;

function headOf(path: string): string {
  const head = Buffer.alloc(headBytes);
  try {
    const fd = openSync(path, "r");
    try {
      return head.toString("latin1", 0, readSync(fd, head));
    } finally {
      closeSync(fd);
    }
  } catch {
    // What cannot be read is not for everybody.
    return "PRIVATE KEY";
  }
}

/** A directory of more entries is not looked through to its end. */
const entriesMax = 20_000;

/**
 * The secrets beneath a directory, the first few of them.
 *
 * @param max How many are enough
 */
export function secretsIn(directory: string, home: string | undefined, max = 5): string[] {
  const found: string[] = [];
  const waiting = [directory];
  let left = entriesMax;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (public_.test(`${next}/`)) continue;
    for (const entry of entriesOf(next)) {
      if (--left < 0 || found.length === max) return found;
      const path = `${next === "/" ? "" : next}/${entry.name}`;
      if ((entry.isFile() || entry.isDirectory()) && isSecret(path, home)) found.push(path);
      else if (entry.isDirectory()) waiting.push(path);
    }
  }
  return found;
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
