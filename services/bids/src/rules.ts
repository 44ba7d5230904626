/** The rules of a project: read anew for each session, so that a corrected file counts at once. */
import { basename } from 'node:path';
import { parseRules, ruleSet, type RuleSet } from '@scanflow/bids';
import { formatIssue } from '@scanflow/config';
import { FailureError, messageOf, permanent } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';

const LIMIT = 1024 * 1024;
const MOST_SHOWN = 5;

/** Rules as text, for a plan with rules that are not in use yet. */
export interface GivenRules {
  readonly file: string;
  readonly text: string;
}

/** Rejects with FailureError BIDS_RULES, which names each mistake with file and line. */
export async function rulesFor(file: string | undefined, given?: GivenRules): Promise<RuleSet> {
  if (given !== undefined) return rulesIn(given.text, given.file);
  if (file === undefined) return ruleSet();
  const bytes = await readBounded(file, LIMIT).catch((error: unknown) => {
    throw new FailureError(
      permanent(
        'BIDS_RULES',
        `The rules ${file} cannot be read: ${messageOf(error)}. Correct bids.rules or the file.`,
      ),
      error,
    );
  });
  if (bytes.length > LIMIT)
    throw new FailureError(permanent('BIDS_RULES', `The rules ${file} are larger than 1 MiB.`));
  return rulesIn(bytes.toString('utf8'), basename(file));
}

function rulesIn(text: string, file: string): RuleSet {
  const read = parseRules(text, file);
  if (read.ok) return ruleSet(read.rules);
  const shown = read.issues.slice(0, MOST_SHOWN).map(formatIssue);
  const more = read.issues.length - shown.length;
  throw new FailureError(
    permanent(
      'BIDS_RULES',
      `The rules have mistakes: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}. Correct them, then: scanflow bids redo.`,
    ),
  );
}
