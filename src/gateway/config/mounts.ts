import { isAbsolute, join, normalize } from 'node:path';
import { GatewayError } from '../errors.ts';

/** Where a path of the configuration really lies on this machine. Relative paths stay as they are. */
export type Mounts = (path: string) => string;

/**
 * Reads the values of `--mount`, each `/path/in/the/config=<folder or file>`. The longest mount that contains a path
 * decides; `..` is resolved before that, so a path cannot be in a mount by its spelling alone.
 *
 * @throws GatewayError naming the value that cannot be read
 */
export function parseMounts(values: readonly string[]): Mounts {
  const mounts = values.map((value) => {
    const cut = value.indexOf('=');
    const from = value.slice(0, Math.max(cut, 0));
    const to = value.slice(cut + 1);
    if (!isAbsolute(from) || to === '') {
      throw new GatewayError('usage', `--mount=${value}: write /path=<folder>, the path beginning with a slash`);
    }
    return { from: withoutTrailingSlash(normalize(from)), to };
  });
  mounts.sort((a, b) => b.from.length - a.from.length);

  return (path) => {
    if (!isAbsolute(path)) return path;
    const plain = normalize(path);
    const mount = mounts.find(({ from }) => plain === from || plain.startsWith(`${from}/`));
    return mount === undefined ? path : join(mount.to, plain.slice(mount.from.length));
  };
}

function withoutTrailingSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
