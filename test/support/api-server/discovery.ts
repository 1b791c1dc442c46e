import type { KindName } from '../../../src/resources/model.ts';
import { kinds } from '../../../src/resources/resources.ts';

/** The response of discovery for a path, given the kinds that are served; undefined: 404. */
export function discover(path: string, served: ReadonlySet<KindName>): unknown {
  const here = Object.values(kinds).filter(({ kind }) => served.has(kind));
  if (path === '/apis') {
    const versions = [...new Set(here.map(({ apiVersion }) => apiVersion))].filter((name) => name.includes('/'));
    const groups = versions.map((groupVersion) => {
      const [name, version] = groupVersion.split('/');
      return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
    });
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  const prefixed = here.filter(({ apiVersion }) => path === (apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`));
  if (prefixed.length === 0) return undefined;
  const resources = prefixed.map(({ plural, kind, namespaced }) => ({ name: plural, kind, namespaced }));
  return { kind: 'APIResourceList', groupVersion: prefixed[0]?.apiVersion, resources };
}
