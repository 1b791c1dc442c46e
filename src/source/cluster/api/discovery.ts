import { isJsonObject, textIn } from '../../../json/json.ts';
import type { KindName } from '../../../resources/model.ts';
import { kinds } from '../../../resources/resources.ts';
import { versionPath } from './path.ts';
import type { ApiReader } from './reader.ts';

/**
 * Asks discovery whether the server lacks the resource. Returns true only if discovery answers, is well-formed, and
 * does not list it; a 404 or the page of a proxy is no evidence.
 */
export async function isKnownAbsent(reader: ApiReader, kind: KindName, stop: AbortSignal): Promise<boolean> {
  const { apiVersion, plural } = kinds[kind];
  const [group, version] = apiVersion.split('/');
  if (version !== undefined) {
    const groups = await discover(reader, '/apis', 'APIGroupList', 'groups', stop);
    if (groups === undefined) return false;
    const served = groups.find((candidate) => textIn(candidate, 'name') === group);
    const versions = isJsonObject(served) ? served['versions'] : [];
    if (!Array.isArray(versions)) return false;
    if (!versions.some((candidate) => textIn(candidate, 'version') === version)) return true;
  }
  const resources = await discover(reader, versionPath(kind), 'APIResourceList', 'resources', stop);
  return resources !== undefined && !resources.some((resource) => textIn(resource, 'name') === plural);
}

async function discover(
  reader: ApiReader,
  path: string,
  kind: string,
  field: string,
  stop: AbortSignal,
): Promise<readonly unknown[] | undefined> {
  const result = await reader.get(path, stop);
  if (!result?.ok || textIn(result.value, 'kind') !== kind || !isJsonObject(result.value)) return undefined;
  const entries = result.value[field];
  return Array.isArray(entries) ? entries : undefined;
}
