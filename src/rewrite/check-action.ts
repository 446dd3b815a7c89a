/** What can be wrong with the action of a rule: where it sends the request, and what it answers. */

import type { Report } from '../config/diagnostic.ts';
import type { ActionConfig, RuleConfig } from '../config/rewrite-model.ts';
import { checkQuery } from './check-doubled-query.ts';
import { checkTarget } from './check-target.ts';
import type { TargetSurroundings } from './target-surroundings.ts';

export interface ActionSurroundings extends TargetSurroundings {
  /** No other list follows, and no earlier rule has sent the request away: who ends the list leaves it to a file. */
  readonly isEnd: boolean;
}

export function checkAction(rule: RuleConfig, surroundings: ActionSurroundings, report: Report): void {
  const { action } = rule;
  if (action.absent && !rule.refused?.has('action')) checkAbsence(rule, surroundings, report);
  if (action.type === 'CustomResponse') checkStatus(action, report);
  if (action.type !== 'Rewrite' && action.type !== 'Redirect') return;
  if (!action.url) {
    if (action.faulty) return;
    report('LG2223', action.span, {
      message: `The ${action.type} of rule "${rule.name.value}" has no url; the rule does nothing with the request.`,
      advice: 'Add the url, or set the type to None.',
      ui: true,
    });
    return;
  }
  checkQuery(rule, report);
  checkTarget(rule, surroundings, report);
}

/** A rule that sets a variable has done its work: so are those of ARR's own page of cache rules. */
function checkAbsence(rule: RuleConfig, { isEnd }: ActionSurroundings, report: Report): void {
  if (rule.serverVariables.length > 0) return;
  report('LG2228', rule.name.span, {
    message: `Rule "${rule.name.value}" has no action, so it ${rule.stopProcessing ? `only ends the list${isEnd ? ': what it takes is answered with 404' : ''}` : 'does nothing'}.`,
    advice: 'Add <action type="…" />; type="None" says that nothing is to be done.',
    ui: true,
  });
}

function checkStatus({ statusCode, span, faulty }: ActionConfig, report: Report): void {
  if (statusCode === undefined ? faulty : statusCode >= 200 && statusCode <= 999) return;
  report('LG2224', span, {
    message:
      statusCode === undefined
        ? 'The custom response has no statusCode.'
        : `${statusCode} is not a status that an answer can have.`,
    advice: 'Set statusCode to 200–299 or 308–999. As it is, the request is answered with 500.50.',
    // IIS Manager takes what begins with 1.
    ...(statusCode === undefined || statusCode < 100 || statusCode > 999 ? { ui: true as const } : {}),
  });
}
