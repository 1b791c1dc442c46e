import type { ServeSettings } from '../../app/settings.ts';
import { quoted } from '../../json/quoted.ts';
import { type Flag, type FlagValues, UsageError } from '../flags.ts';

/** The flags that decide what manifests mean: the same for `serve` and for the commands that explain it. */
export const translationFlags: readonly Flag[] = [
  {
    name: 'controller-name',
    value: '<name>',
    default: 'kgateway.dev/kgateway',
    help: 'controllerName of the GatewayClasses to implement',
  },
  { name: 'cluster-domain', value: '<domain>', default: 'cluster.local', help: "the domain of the cluster's Services" },
  { name: 'external-name-services', default: 'true', help: 'whether Services of type ExternalName become targets' },
  {
    name: 'allow-loopback-targets',
    default: 'false',
    help: 'let Services point at this machine; for trying things out',
  },
];

/** Decodes the translation flags. */
export function translationSettings(
  flags: FlagValues,
): Pick<ServeSettings, 'controllerName' | 'clusterDomain' | 'externalNameServices' | 'allowLoopbackTargets'> {
  const domain = flags.text('cluster-domain');
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(domain)) {
    throw new UsageError(
      `--cluster-domain is a domain name in lower case, for example cluster.local, not ${quoted(domain)}`,
    );
  }
  return {
    controllerName: flags.text('controller-name'),
    clusterDomain: domain,
    externalNameServices: flags.on('external-name-services'),
    allowLoopbackTargets: flags.on('allow-loopback-targets'),
  };
}
