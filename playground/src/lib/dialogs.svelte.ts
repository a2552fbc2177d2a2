/** Which dialog is open over the page. */
export type DialogName = "script" | "help";

class Dialogs {
  open = $state<DialogName | null>(null);
}

export const dialogs = new Dialogs();
