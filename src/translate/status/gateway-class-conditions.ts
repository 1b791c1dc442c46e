import type { BundleVersions, Condition } from '../model.ts';
import { enumerate, type Say } from './conditions.ts';

/** The releases of the Gateway API whose CRDs this program was tried with: the first in which `v1` is served, to the newest. */
const oldest = 'v1.0';
const newest = 'v1.6';
const supported = /^v1\.[0-6]\.\d+(-[0-9A-Za-z.-]+)?$/;

/**
 * The condition `SupportedVersion` (Gateway API, implementer's guide): false as soon as one CRD says nothing of its
 * version or is of one that nobody here knows. The class is served all the same, as well as it goes; without a cluster
 * there is nothing to say.
 */
export function describeBundle(bundle: BundleVersions | undefined, say: Say): readonly Condition[] {
  if (bundle === undefined) return [];
  const asked = `Supported are ${oldest} to ${newest}; what there is, is served as well as it goes.`;
  if (!bundle.known) {
    const message = `The version of the Gateway API's CRDs cannot be read: ${bundle.reason}. ${asked}`;
    return [say('SupportedVersion', 'False', 'UnsupportedVersion', message)];
  }
  const strange = bundle.versions.filter(([, version]) => version === undefined || !supported.test(version));
  if (strange.length === 0) {
    const versions = [...new Set(bundle.versions.map(([, version]) => version ?? ''))];
    const message = `The CRDs of the Gateway API are of a supported version: ${enumerate(versions)}.`;
    return [say('SupportedVersion', 'True', 'SupportedVersion', message)];
  }
  const found = strange.map(([crd, version]) => `${crd} is ${version ?? 'of no version that it names'}`);
  return [say('SupportedVersion', 'False', 'UnsupportedVersion', `${enumerate(found)}. ${asked}`)];
}
