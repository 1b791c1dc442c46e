import type { Collection, Context, Derived } from '../../graph/model.ts';
import type { GatewayClass } from '../../resources/model.ts';
import { type GatewayClassResult, hasController } from '../gateway/gateway-class.ts';
import { joinNames } from '../messages.ts';
import type { BundleVersions, Condition, GatewayClassConditionType, GatewayClassStatus } from '../model.ts';
import { type ConditionWriter, conditionWriter, internalError } from './conditions.ts';

/** The collections that the status of a GatewayClass is computed from. */
export interface GatewayClassStatusInputs {
  readonly controllerName: string;
  readonly classes: Derived<GatewayClassResult>;
  /** One entry under the empty key; none without a cluster. */
  readonly bundle: Collection<BundleVersions>;
}

/** The status of one GatewayClass; undefined for a class of another controller. */
export function gatewayClassStatus(
  gatewayClass: GatewayClass,
  context: Context,
  { controllerName, classes, bundle }: GatewayClassStatusInputs,
): GatewayClassStatus | undefined {
  if (!hasController(gatewayClass, controllerName)) return undefined;
  const { name } = gatewayClass.metadata;
  const condition = conditionWriter(gatewayClass.metadata);
  const supported = supportedVersion(context.get(bundle, ''), condition);
  const failure = context.get(classes.failures, name);
  if (failure !== undefined) {
    const pending = condition('Accepted', 'Unknown', 'Pending', 'The GatewayClass could not be judged.');
    return { kind: 'GatewayClass', name, conditions: [pending, ...supported, internalError(condition, failure)] };
  }
  const result = context.get(classes, name);
  if (result === undefined) return undefined;
  const accepted = result.accepted
    ? condition('Accepted', 'True', 'Accepted', 'The GatewayClass is accepted.')
    : condition('Accepted', 'False', 'InvalidParameters', result.reason);
  return { kind: 'GatewayClass', name, conditions: [accepted, ...supported] };
}

/** The releases of the Gateway API whose CRDs were tested: from the first that serves `v1` to the newest. */
const oldestRelease = 'v1.0';
const newestRelease = 'v1.6';
const supportedReleases = /^v1\.[0-6]\.\d+(-[0-9A-Za-z.-]+)?$/;

/**
 * The condition `SupportedVersion` (Gateway API, implementer's guide): false when one CRD has no version or an
 * unsupported one. It does not affect acceptance: the class is served best effort. Absent without a cluster.
 */
function supportedVersion(
  bundle: BundleVersions | undefined,
  condition: ConditionWriter,
): readonly Condition<GatewayClassConditionType>[] {
  if (bundle === undefined) return [];
  const asked = `Supported are ${oldestRelease} to ${newestRelease}; what there is, is served as well as it goes.`;
  if (!bundle.known) {
    const message = `The version of the Gateway API's CRDs cannot be read: ${bundle.reason}. ${asked}`;
    return [condition('SupportedVersion', 'False', 'UnsupportedVersion', message)];
  }
  const unsupported = bundle.versions.filter(
    ([, version]) => version === undefined || !supportedReleases.test(version),
  );
  if (unsupported.length === 0) {
    const versions = [...new Set(bundle.versions.map(([, version]) => version ?? ''))];
    const message = `The CRDs of the Gateway API are of a supported version: ${joinNames(versions)}.`;
    return [condition('SupportedVersion', 'True', 'SupportedVersion', message)];
  }
  const found = unsupported.map(([crd, version]) => `${crd} is ${version ?? 'of no version that it names'}`);
  return [condition('SupportedVersion', 'False', 'UnsupportedVersion', `${joinNames(found)}. ${asked}`)];
}
