import type { KubeFailure } from './kube-failure.ts';
import type { KubeReader } from './kube-reader.ts';
import type { BundleVersions } from './model.ts';
import { objectIn, textIn } from './plain-json.ts';

/** The CRDs of the Gateway API that we read objects of, sorted. */
const CRDS = ['gatewayclasses.gateway.networking.k8s.io', 'gateways.gateway.networking.k8s.io'];

/** Every CRD of a bundle carries it (implementers' guide of the Gateway API). */
const ANNOTATION = 'gateway.networking.k8s.io/bundle-version';

/** What was read, and whether it is an answer: an outage says nothing about versions. */
export interface BundleReading {
  readonly bundle: BundleVersions;
  readonly answered: boolean;
}

/** Asks which bundle the CRDs are of. Undefined when `stop` was given. */
export async function readBundle(reader: KubeReader, stop: AbortSignal): Promise<BundleReading | undefined> {
  const versions: (readonly [crd: string, version: string | undefined])[] = [];
  for (const crd of CRDS) {
    const answer = await reader.get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd}`, stop);
    if (answer === undefined) return undefined;
    if (!answer.ok) return unknown(`CustomResourceDefinition ${crd}: ${answer.failure.message}`, answer.failure);
    if (textIn(answer.value, 'kind') !== 'CustomResourceDefinition') {
      const failure: KubeFailure = { reason: 'unintelligible', message: 'the answer is no CustomResourceDefinition' };
      return unknown(`CustomResourceDefinition ${crd}: ${failure.message}`, failure);
    }
    const annotations = objectIn(objectIn(answer.value, 'metadata'), 'annotations');
    versions.push([crd, textIn(annotations, ANNOTATION)]);
  }
  return { bundle: { known: true, versions }, answered: true };
}

function unknown(reason: string, failure: KubeFailure): BundleReading {
  const answered = failure.reason === 'forbidden' || failure.reason === 'not-found';
  return { bundle: { known: false, reason }, answered };
}
