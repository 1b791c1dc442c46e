import { formatHostPort } from '../net/host-port.ts';
import type { InputSettings, ServeSettings } from './settings.ts';

/**
 * What the control plane runs with, for its debug endpoint. Lists each setting by name, so that a secret that a setting
 * may have later is not shown by accident. Durations are in milliseconds.
 */
export function configView(settings: ServeSettings): object {
  return {
    replica: settings.replica,
    input: inputView(settings.input),
    namespaces: settings.namespaces,
    listen: {
      xds: formatHostPort(settings.xdsListen),
      debug: formatHostPort(settings.debugListen),
      metrics: formatHostPort(settings.metricsListen),
      admin: formatHostPort(settings.adminListen),
    },
    controllerName: settings.controllerName,
    clusterDomain: settings.clusterDomain,
    externalNameServices: settings.externalNameServices,
    allowLoopbackTargets: settings.allowLoopbackTargets,
    allowHttpJwks: settings.keyFetching.allowHttp,
    allowPrivateJwks: settings.keyFetching.allowPrivate,
    shutdownGrace: settings.shutdownGrace,
    ackTimeout: settings.ackTimeout,
    receiveLimit: settings.receiveLimit,
    maxStreamsPerSecond: settings.maxStreamsPerSecond,
    maxConnections: settings.maxConnections,
    maxStreamsPerConnection: settings.maxStreamsPerConnection,
    maxConnectionAge: settings.connectionAge.age,
    connectionAgeGrace: settings.connectionAge.grace,
  };
}

function inputView(input: InputSettings): object {
  const { idle, ceiling } = input.debounce;
  const debounce = { quiet: idle, quietCeiling: ceiling };
  if (input.from === 'files') return { from: 'files', filenames: input.filenames, settle: input.settle, ...debounce };
  const { access, statusWriting } = input;
  return {
    from: 'cluster',
    access: access.by,
    ...(access.by === 'kubeconfig' && { kubeconfig: access.path }),
    ...(access.by !== 'service account' && { context: access.context ?? null }),
    statusWriting: statusWriting.by,
    ...debounce,
  };
}
