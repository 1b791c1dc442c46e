import type { KubeApiServer } from '../../support/cluster/kube-apiserver.ts';
import { polled } from '../../support/cluster/poll.ts';

const paths = [
  '/apis/gateway.networking.k8s.io/v1/gatewayclasses',
  '/apis/gateway.networking.k8s.io/v1/gateways',
  '/apis/gateway.kgateway.dev/v1alpha1/gatewayparameters',
  '/apis/gateway.kgateway.dev/v1alpha1/mcpauthpolicies',
  '/api/v1/services',
  '/api/v1/namespaces',
];

/** Lists and parses every watched kind, unpaged and one after another; returns the milliseconds for all. */
export async function timeRawLists(api: KubeApiServer): Promise<number> {
  // An API server that has just stored many objects responds with 429 for a while.
  for (const path of paths) {
    await polled(
      async () => ((await api.request(`${path}?limit=1`)).status === 200 ? true : undefined),
      () => `${path} is not served`,
    );
  }
  const start = performance.now();
  for (const path of paths) {
    // `request` parses the response.
    const { status } = await api.request(path);
    if (status !== 200) throw new Error(`${path} answered ${status}`);
  }
  return performance.now() - start;
}
