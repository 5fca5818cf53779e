/** Files that hold secrets, by their names and, where a name does not tell, by what is in them. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { fileName, lastName } from "../kernel/names.ts";
import { search, type Searched } from "../advise/search.ts";

/** Beneath a home directory: keys, tokens, passwords, histories, and profiles of browsers. */
const ofHome =
  /^(\.ssh|\.aws|\.azure|\.gnupg|\.kube|\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.vault-token|\.password-store|\.pgpass|\.my\.cnf|\.mozilla|\.thunderbird|\.\w+_history|\.docker\/config\.json|\.cargo\/credentials(\.toml)?|\.gem\/credentials|\.m2\/settings\.xml|\.terraform\.d\/credentials\.tfrc\.json|\.config\/(gh|hub|gcloud|op|git\/credentials|google-chrome|chromium|BraveSoftware|microsoft-edge|Signal)|\.local\/share\/(keyrings|kwalletd))(\/|$)/;

/** Of the system. */
const ofSystem =
  /^(\/etc\/(shadow|gshadow)-?|\/etc\/sudoers(\.d)?|\/etc\/ssl\/private|\/etc\/ssh\/ssh_host_\w+_key|\/(var\/)?run\/secrets)(\/|$)/;

/** What programs bring along is no secret. */
const public_ = /^\/(usr|lib\w*|bin|sbin|nix|gnu|opt)\/|\/node_modules\//;

// A name may hold line breaks, so `.` has to match them.
const byName = [
  /^\.env(?!.*(example|sample|template|dist|defaults))(\..+)?$/s,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/,
  /\.(p12|pfx|jks|keystore|kdbx)$/i,
  /^(?!.*\.(\w?[jt]sx?|py|rb|go|rs|c|h|cc|cpp|java|md|html|css|lock)$).*(^|[._-])(access[._-]?)?tokens?([._-]|$)/is,
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
 * @param now Where the file is now, if it went
 */
export function isSecret(path: string, home: string | undefined, now = path): boolean {
  if (ofSystem.test(path)) return true;
  const beneath = /^(?:\/home\/[^/]+|\/root)\/(.+)$/s.exec(path)?.[1];
  const own = home && path.startsWith(`${home}/`) ? path.slice(home.length + 1) : undefined;
  if ([beneath, own].some((rest) => rest !== undefined && ofHome.test(rest))) return true;
  if (public_.test(path)) return false;
  const name = lastName(path);
  if (byName.some((pattern) => pattern.test(name))) return true;
  return byContent.some(([names, what]) => names.test(name) && what.test(headOf(now)));
}

/** Enough for the first line of a key, or for a file of settings. */
const headBytes = 4096;

function headOf(path: string): string {
  const head = Buffer.alloc(headBytes);
  try {
    // Opening a FIFO would wait for somebody to write.
    const fd = openSync(fileName(path), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return fstatSync(fd).isFile() ? head.toString("latin1", 0, readSync(fd, head)) : "";
    } finally {
      closeSync(fd);
    }
  } catch {
    // What cannot be read is not for everybody.
    return "PRIVATE KEY";
  }
}

/**
 * The secrets beneath a directory, the first few of them.
 *
 * @param max How many are enough
 * @param limit How many entries are looked at
 */
export function secretsIn(
  directory: string,
  home: string | undefined,
  max = 5,
  limit?: number,
): Searched {
  return search(directory, {
    isFound: ({ path, type }) => type !== "other" && isSecret(path, home),
    isClosed: (path) => public_.test(`${path}/`),
    max,
    ...(limit === undefined ? {} : { limit }),
  });
}

/** Whether a tree may hold a secret: one that is too large to look through may. */
export function mayHoldSecrets(directory: string, home: string | undefined): boolean {
  const { found, complete } = secretsIn(directory, home, 1);
  return found.length > 0 || !complete;
}
