/** Finds installed programs as a shell does, and in the folders for the administrator's, which users often lack in PATH. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export function findCommand(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first number with dots in what a program says of itself; empty where there is none. */
export function versionOf(command: string, argument: string): string {
  try {
    // nginx writes it to the error stream.
    const text = execFileSync('/bin/sh', ['-c', '"$0" "$1" 2>&1', command, argument], { encoding: 'utf8' });
    return /\d+\.\d+[\d.]*/.exec(text)?.[0] ?? '';
  } catch {
    return '';
  }
}
