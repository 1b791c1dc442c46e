import type { Resource } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Config, type Rule } from '../../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';

/** Resources as a control plane sends them; each can be made wrong in one way. */

export const targetType = 'type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target';
export const configType = 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config';

type Sent = Pick<Resource, 'name' | 'version' | 'resource'>;

const rule: Rule = { key: 'sub', value: 'me', resource: { id: '*', type: 0 }, matcher: 0 };

export function target(name: string, change: Partial<Target> = {}, version = '1'): Sent {
  const message = { name, host: '10.0.0.1', port: 8080, path: '', ...change };
  return { name, version, resource: { typeUrl: targetType, value: Buffer.from(Target.encode(message).finish()) } };
}

/** @param name the resource name, `<namespace>.<name>` */
export function config(name: string, rules: readonly Partial<Rule>[] = [{}], version = '1'): Sent {
  const [namespace = '', ...rest] = name.split('.');
  const message = { name: rest.join('.'), namespace, rules: rules.map((change) => ({ ...rule, ...change })) };
  return { name, version, resource: { typeUrl: configType, value: Buffer.from(Config.encode(message).finish()) } };
}

/** A resource whose bytes are no message. */
export function garbage(name: string, typeUrl: string): Sent {
  return { name, version: '1', resource: { typeUrl, value: Buffer.from([0x0a, 0xff]) } };
}
