/** Questions like those of Node's permission model. */
import { atCaller } from "../validate/values.ts";
import { hasPermission } from "./explain.ts";
import type { PermissionScope } from "./question.ts";
import type { PathLike } from "../validate/values.ts";

/** What the layers allow, like Node's `process.permission`. */
export const permissions = Object.freeze({
  /**
   * Whether the layers that this thread enforced allow something. Without any layer the answer is
   * yes. It doesn't consider ordinary permissions, and layers that were enforced before.
   *
   * | scope                             | reference                   | without one         |
   * | --------------------------------- | --------------------------- | ------------------- |
   * | `"fs"` `"fs.read"` `"fs.write"`   | a path, with everything beneath it | the whole tree |
   * | `"child"`                         | a program, by path or name  | any program         |
   * | `"net"` `"net.connect"` `"net.bind"` | a port; the latter two are TCP | any port      |
   * | a right, such as `"make_dir"`     | a path or a port            | everywhere          |
   * | `"signal"` `"abstract_unix_socket"` | none                      | outside the sandbox |
   *
   * @param scope A scope of the table
   * @param reference The scope's path, `file:` URL, program or port
   * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if the scope is unknown, or the reference
   *   doesn't fit it
   * @see {@link https://nodejs.org/api/process.html#processpermissionhasscope-reference}
   */
  has(scope: PermissionScope, reference?: PathLike | number): boolean {
    return atCaller(permissions.has, () => hasPermission(scope, reference));
  },
});
