/** The order of test files. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that start programs, or wait much, take longest, and their size does not tell it: they begin first, so that none of them
 * is left at the end with nothing beside it.
 */
export class ProcessesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const starts = ({ moduleId }: TestSpecification) =>
      /\/test\/(?:service\/|demo\/|integration\/(?:streaming|failover|server-names|slow-clients)|cli\/replay-process)/.test(
        moduleId,
      );
    return [...sorted.filter(starts), ...sorted.filter((file) => !starts(file))];
  }
}
