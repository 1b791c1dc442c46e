import { isJsonObject, textIn } from '../../../json/json.ts';
import type { KindName } from '../../../resources/model.ts';
import { kinds } from '../../../resources/resources.ts';
import { versionPath } from './path.ts';
import type { KubeReader } from './reader.ts';

/**
 * Whether the API server itself says that it has no such resource: discovery answers, is well-formed, and does not name
 * it. Anything else, a 404 or a page of a proxy above all, is no evidence.
 */
export async function isKnownAbsent(reader: KubeReader, kind: KindName, stop: AbortSignal): Promise<boolean> {
  const { apiVersion, plural } = kinds[kind];
  const [group, version] = apiVersion.split('/');
  if (version !== undefined) {
    const groups = await listed(reader, '/apis', 'APIGroupList', 'groups', stop);
    if (groups === undefined) return false;
    const served = groups.find((candidate) => textIn(candidate, 'name') === group);
    const versions = isJsonObject(served) ? served['versions'] : [];
    if (!Array.isArray(versions)) return false;
    if (!versions.some((candidate) => textIn(candidate, 'version') === version)) return true;
  }
  const resources = await listed(reader, versionPath(kind), 'APIResourceList', 'resources', stop);
  return resources !== undefined && !resources.some((resource) => textIn(resource, 'name') === plural);
}

async function listed(
  reader: KubeReader,
  path: string,
  kind: string,
  field: string,
  stop: AbortSignal,
): Promise<readonly unknown[] | undefined> {
  const answer = await reader.get(path, stop);
  if (!answer?.ok || textIn(answer.value, 'kind') !== kind || !isJsonObject(answer.value)) return undefined;
  const entries = answer.value[field];
  return Array.isArray(entries) ? entries : undefined;
}
