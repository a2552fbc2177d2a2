/** Light or dark: what the system says, unless the user chose. The choice is kept in this browser. */

export type Theme = "light" | "dark";

const KEY = "rosenblatt-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function kept(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // storage may be forbidden
  }
}

class ThemeState {
  current = $state<Theme>(kept() ?? (system.matches ? "dark" : "light"));

  toggle(): void {
    this.current = this.current === "light" ? "dark" : "light";
    this.show();
    try {
      localStorage.setItem(KEY, this.current);
    } catch {
      // the choice lasts as long as the page
    }
  }

  show(): void {
    document.documentElement.dataset["theme"] = this.current;
  }
}

export const theme = new ThemeState();

/** Shows the theme and follows the system as long as the user has not chosen. */
export function watchTheme(): void {
  theme.show();
  system.addEventListener("change", (event) => {
    if (kept()) return;
    theme.current = event.matches ? "dark" : "light";
    theme.show();
  });
}
