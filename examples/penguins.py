"""A real table as it was published: predict the sex of penguins near Palmer Station (`pip install palmerpenguins`).

Measurements, dates, categories, remarks and missing cells. Some birds were seen in several years: the score is that of
birds that no network has seen.
"""

from palmerpenguins import load_penguins_raw

import rosenblatt

penguins = load_penguins_raw()
model = rosenblatt.learn(penguins, "Sex", groups="Individual ID", drop_missing_target=True)
print(model.report())
print(model.explain(penguins[:1], method="shapley"))
