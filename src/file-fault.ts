/** Why a file cannot be read or written, in words for whoever administers the service. */
import { codeOf } from './errors.ts';

const PATH_FAULTS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
};

const READ_FAULTS: Readonly<Record<string, string>> = {
  ...PATH_FAULTS,
  ENOENT: 'it does not exist',
  EACCES: 'this account may not read it',
  EPERM: 'this account may not read it',
  ELOOP: 'it is a link that leads to itself',
};

const WRITE_FAULTS: Readonly<Record<string, string>> = {
  ...PATH_FAULTS,
  ENOENT: 'its folder does not exist',
  EACCES: 'this account may not write it',
  EPERM: 'this account may not write it',
  EROFS: 'the disk is read-only',
  ENXIO: 'it is a socket, or a device that is not there',
  EBUSY: 'it is mounted by itself; mount its folder',
  ENOSPC: 'the disk is full',
  EFBIG: 'the file may not become larger',
  EDQUOT: 'the quota of this account is used up',
};

/** @param error of the call that was to read a file or a folder */
export function readFault(error: unknown): string {
  return READ_FAULTS[codeOf(error)] ?? messageOf(error);
}

/** @param error of the call that was to write a file, or to put it in its place */
export function writeFault(error: unknown): string {
  return WRITE_FAULTS[codeOf(error)] ?? messageOf(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
