/** Presentation contexts: each accepted or refused for itself, for the right reason. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { agreement, answerContexts } from './negotiation.ts';

const served = [{ abstractSyntax: 'worklist', transferSyntaxes: ['explicit', 'implicit'] }];
const propose = (id: number, abstractSyntax: string, ...transferSyntaxes: string[]) => ({
  id,
  abstractSyntax,
  transferSyntaxes,
});

test('negotiation: the order of preference is ours', () => {
  assert.deepEqual(answerContexts([propose(1, 'worklist', 'implicit', 'big', 'explicit')], served), [
    { id: 1, result: 0, transferSyntax: 'explicit' },
  ]);
});

test('negotiation: an unknown SOP class is reason 3, an unknown transfer syntax reason 4', () => {
  const answers = answerContexts([propose(3, 'other', 'implicit'), propose(5, 'worklist', 'jpeg')], served);
  assert.deepEqual(answers, [
    { id: 3, result: 3, transferSyntax: '' },
    { id: 5, result: 4, transferSyntax: '' },
  ]);
});

test('negotiation: refused contexts are in no way usable', () => {
  const proposed = [propose(1, 'worklist', 'explicit'), propose(3, 'other', 'implicit')];
  const { accepted, refused } = agreement(proposed, answerContexts(proposed, served));
  assert.deepEqual([...accepted.keys()], [1]);
  assert.deepEqual([...refused], [[3, 3]]);
});

test('negotiation: an answer that was not asked for, is missing, or names another syntax, is no acceptance', () => {
  const proposed = [propose(1, 'worklist', 'explicit'), propose(3, 'worklist', 'implicit')];
  const { accepted, refused } = agreement(proposed, [
    { id: 1, result: 0, transferSyntax: 'jpeg' },
    { id: 9, result: 0, transferSyntax: 'explicit' },
  ]);
  assert.equal(accepted.size, 0);
  assert.deepEqual([...refused.values()], [2, 2]);
});
