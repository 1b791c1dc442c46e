import { expect, it } from 'vitest';
import { answerQuestion } from '../../src/explain/explain.ts';
import { createFreshWorld } from '../support/worlds/fresh-world.ts';
import { isSubject, mcpClass, mcpGateway, mcpService, policyWith, together } from '../support/worlds/manifests.ts';

it('an answer without a verdict lists as many rules as it may, and counts the others', () => {
  const matches = Array.from({ length: 8 }, (_, index) => isSubject(`user-${index}`)).join(', ');
  const { pipeline } = createFreshWorld({
    'a.yaml': together(
      mcpClass,
      mcpGateway('default/gw'),
      mcpService('default/tool'),
      policyWith(
        'default/p',
        '[{ name: gw }]',
        `[{ matches: [${matches}], resource: { kind: tool, name: "default/tool:run" } }]`,
      ),
    ),
  });
  const question = { gateway: 'default/gw', request: undefined, claims: undefined };
  const listed = (most?: number): object => {
    const answered = answerQuestion(pipeline.explainer, question, most);
    if (!answered.ok) throw new Error(answered.message);
    expect(answered.fields).toHaveLength(Math.min(most ?? 8, 8));
    return answered.answerAt(answered.fields.map(({ path }) => path.join('.')));
  };
  expect(listed(3)).toMatchObject({
    omitted: 5,
    grants: [{ match: 0 }, { match: 1 }, { place: 'spec.rules.0.matches.2' }],
  });
  expect(listed()).toMatchObject({ omitted: 0, grants: { length: 8 } });
});
