import { isAbsolute, join, normalize } from 'node:path';
import { shortened } from '../../json/quoted.ts';
import { GatewayError } from '../errors.ts';

/** Maps a path of the configuration to a path of this machine. Leaves relative paths as they are. */
export type Mounts = (path: string) => string;

/**
 * Parses the values of `--mount`, each `/path/in/the/config=<folder or file>`. The longest mount that contains a path
 * wins. `..` is resolved first, so that the spelling of a path alone cannot put it into a mount.
 *
 * @throws GatewayError that names the value
 */
export function parseMounts(values: readonly string[]): Mounts {
  const mounts = values.map((value) => {
    const separator = value.indexOf('=');
    const from = value.slice(0, Math.max(separator, 0));
    const to = value.slice(separator + 1);
    if (!isAbsolute(from) || to === '') {
      throw new GatewayError(
        'usage',
        `--mount=${shortened(value)}: write /path=<folder>, the path beginning with a slash`,
      );
    }
    return { from: withoutTrailingSlash(normalize(from)), to };
  });
  mounts.sort((a, b) => b.from.length - a.from.length);

  return (path) => {
    if (!isAbsolute(path)) return path;
    const normalized = normalize(path);
    const mount = mounts.find(({ from }) => normalized === from || normalized.startsWith(`${from}/`));
    return mount === undefined ? path : join(mount.to, normalized.slice(mount.from.length));
  };
}

/** @param path normalized, so that it has at most one */
function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
