"""From a spreadsheet export of marks to a perceptron; a dead end broke a cell once."""
# %% file=marks.csv
name;homework;exam;passed
Ada;18;71;yes
Bo;7;40;no
Cy;12;55;yes
Di;5;61;no
Ed;16;44;yes
Flo;3;30;no
Gus;11;49;no
Hal;19;90;yes
Ida;14;58;yes
Jo;8;52;no
Kim;17;66;yes
Lu;6;47;no
# %%
import pandas as pd
marks = pd.read_csv("marks.csv", sep=";")
marks
# %%
marks.exam.plot.hist
# %% raises
marks["passed"].mean()      # it is text
# %%
marks["passed"] = marks["passed"].eq("yes").astype(int)
marks["passed"].mean()
# %%
import numpy as np
X = marks[["homework", "exam"]].to_numpy(float)
X = (X - X.mean(axis=0)) / X.std(axis=0)
t = np.where(marks["passed"] == 1, 1, -1)
# %%
weights = np.random.uniform(-1, 1, 3)
weights
# %%
def margin(rows):
    return np.c_[X[rows], np.ones(len(rows))] @ weights
# %%
margin([0, 1])
# %%
%%track perceptron
for epoch in range(10):
    mistakes = 0
    for i in np.random.permutation(len(X)):
        if t[i] * margin([i])[0] <= 0:
            weights += 0.1 * t[i] * np.append(X[i], 1.0)
            mistakes += 1
    error_rate = mistakes / len(X)
    mean_margin_score = float((t * margin(np.arange(len(X)))).mean())
