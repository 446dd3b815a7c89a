/** Files and folders that stand on the command line: those that are not there or cannot be read end the command. */
import { accessSync, constants, existsSync, type Stats, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HOST_FILE, SETTINGS_FILE } from '../config/files.ts';
import { StartError } from '../errors.ts';
import { readFault } from '../file-fault.ts';
import { typed } from '../program-name.ts';
import { type CommandInput, textOption, UsageError } from './command.ts';

/** @throws StartError where it cannot be read */
export function kindOfPlace(place: string): 'file' | 'folder' {
  const status = statusOf(place);
  if (status.isDirectory()) return 'folder';
  if (status.isFile()) return 'file';
  throw new StartError(`cannot read ${place}: it is neither a file nor a folder.`);
}

/**
 * Tells folders from all that can be read as a stream, pipes of the shell included.
 * @throws StartError where it cannot be read
 */
export function isFolder(place: string): boolean {
  return statusOf(place).isDirectory();
}

function statusOf(place: string): Stats {
  if (place === '') throw new UsageError('the name of a file or folder is empty');
  try {
    accessSync(place, constants.R_OK);
    return statSync(place);
  } catch (error) {
    throw new StartError(`cannot read ${place}: ${readFault(error)}.`);
  }
}

/**
 * The same folder, where it may be that of a configuration.
 * @throws UsageError where it is the one around it or beside it, as `lychgate init` makes them
 */
export function configurationIn(folder: string): string {
  const isNone = [SETTINGS_FILE, HOST_FILE].every((name) => !existsSync(join(folder, name)));
  const near = [join(folder, 'config'), join(folder, '..', 'config')];
  const meant = isNone ? near.find((each) => existsSync(join(each, SETTINGS_FILE))) : undefined;
  if (meant !== undefined && resolve(meant) !== resolve(folder))
    throw new UsageError(`${folder} holds no configuration. Did you mean ${meant}?`);
  return folder;
}

/** Where the configuration is without `--config`: the first that is there. */
export const USUAL_FOLDERS = ['config', '/etc/lychgate/config'];

/** For the help of `--config`. */
export const usualFolder = `default: ${USUAL_FOLDERS.join(', else ')}`;

/** The folder of `--config`. */
export function configFolder(input: CommandInput, usual = USUAL_FOLDERS): string {
  const named = textOption(input, 'config');
  const folder = named ?? usual.find((each) => existsSync(each)) ?? usual.join(' or ');
  let kind: 'file' | 'folder';
  try {
    kind = kindOfPlace(folder);
  } catch (error) {
    if (named !== undefined || !(error instanceof StartError)) throw error;
    throw new StartError(
      `${error.message} Name the folder of settings.json and the IIS files with --config DIR; "${typed('init DIR')}" makes one.`,
    );
  }
  if (kind === 'folder') return configurationIn(folder);
  throw new UsageError(`--config ${folder}: this is a file; the folder that holds settings.json is wanted`);
}
