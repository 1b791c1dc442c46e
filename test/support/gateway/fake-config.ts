import { indexRules } from '../../../src/authz/authz.ts';
import type { PrimitiveKind } from '../../../src/authz/model.ts';
import type { ConfigChange, GatewayConfig } from '../../../src/gateway/model.ts';
import { type Config, Resource_Type, Rule_Matcher } from '../../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';

/** A configuration that a test changes, in place of a control plane. */
export interface FakeConfig extends GatewayConfig {
  putTarget(target: Target): void;
  removeTarget(name: string): void;
  /** Adds a rule that allows callers whose `sub` (or another claim) is `subject` to use `id`; `*` is everything of that kind. */
  allow(config: string, subject: string, kind: PrimitiveKind, id: string, claim?: string): void;
  /** Adds rules that allow these callers to use everything. */
  allowAll(config: string, subject: string): void;
  removeConfig(name: string): void;
}

const types = { tool: Resource_Type.TOOL, prompt: Resource_Type.PROMPT, resource: Resource_Type.RESOURCE } as const;

export function createFakeConfig(): FakeConfig {
  const targets = new Map<string, Target>();
  const rbacConfigs = new Map<string, Config>();
  const listeners = new Set<(change: ConfigChange) => void>();
  const publish = (change: Partial<ConfigChange>): void => {
    for (const listener of listeners) listener({ targets: [], rbacConfigs: [], ...change });
  };
  const fake: FakeConfig = {
    targets,
    rbacConfigs,
    get rules() {
      return indexRules(rbacConfigs);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    putTarget(target) {
      targets.set(target.name, target);
      publish({ targets: [target.name] });
    },
    removeTarget(name) {
      targets.delete(name);
      publish({ targets: [name] });
    },
    allow(config, subject, kind, id, claim = 'sub') {
      const [namespace = '', name = ''] = config.split('.');
      const rule = { key: claim, value: subject, resource: { id, type: types[kind] }, matcher: Rule_Matcher.EQUALS };
      rbacConfigs.set(config, { namespace, name, rules: [...(rbacConfigs.get(config)?.rules ?? []), rule] });
      publish({ rbacConfigs: [config] });
    },
    allowAll(config, subject) {
      for (const kind of ['tool', 'prompt', 'resource'] as const) fake.allow(config, subject, kind, '*');
    },
    removeConfig(name) {
      rbacConfigs.delete(name);
      publish({ rbacConfigs: [name] });
    },
  };
  return fake;
}
