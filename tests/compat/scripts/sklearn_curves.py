"""Judge a classifier with wandb's charts."""

import wandb
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

iris = load_iris()
labels = list(iris.target_names)
X_train, X_test, y_train, y_test = train_test_split(
    iris.data, iris.target, random_state=0, test_size=0.4
)

with wandb.init(project="iris", config={"C": 1.0, "max_iter": 500}) as run:
    model = LogisticRegression(C=run.config.C, max_iter=run.config.max_iter)
    model.fit(X_train, y_train)
    y_pred = model.predict(X_test)
    y_probas = model.predict_proba(X_test)
    run.log({"accuracy": accuracy_score(y_test, y_pred)})
    run.log(
        {
            "conf_mat": wandb.plot.confusion_matrix(
                probs=None, y_true=y_test, preds=y_pred, class_names=labels
            ),
            "roc": wandb.plot.roc_curve(y_test, y_probas, labels=labels),
            "pr": wandb.plot.pr_curve(y_test, y_probas, labels=labels),
        }
    )
    rows = [[name, float(v)] for name, v in zip(iris.feature_names, model.coef_[0])]
    table = wandb.Table(data=rows, columns=["feature", "weight"])
    run.log({"weights": wandb.plot.bar(table, "feature", "weight", title="Weights")})
    points = wandb.Table(data=[[x, x * x] for x in range(5)], columns=["x", "y"])
    run.log({"square": wandb.plot.line(points, "x", "y", title="Square")})
    run.log({"points": wandb.plot.scatter(points, "x", "y")})
    run.log({"spread": wandb.plot.histogram(points, "y")})
    run.log(
        {
            "both": wandb.plot.line_series(
                xs=[0, 1, 2],
                ys=[[1, 2, 3], [3, 2, 1]],
                keys=["up", "down"],
                title="Both",
            )
        }
    )
