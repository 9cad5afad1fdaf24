"""Sentiment of a few dozen reviews: text from a file that was there, TF-IDF, SGD."""
# %% file=reviews.tsv
1	a wonderful little film with a warm heart
0	dull plot and wooden acting from start to end
1	the cast is brilliant and the music stays with you
0	i left early it was that boring
1	funny clever and surprisingly moving
0	a waste of a good book and of two hours
1	one of the best endings i have seen
0	the jokes fall flat and the pace is slow
1	beautiful pictures and a brilliant lead
0	noisy shallow and far too long
1	a clever script that trusts its audience
0	bad lighting bad sound bad script
1	i laughed i cried i want to see it again
0	nothing happens and then it happens again
1	warm and funny with a wonderful cast
0	wooden dialogue and a plot full of holes
1	moving music and a strong lead
0	slow dull and predictable
1	the best film of the year by far
0	a flat and noisy sequel nobody asked for
# %%
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.utils import shuffle
# %%
reviews = pd.read_csv("reviews.tsv", sep="\t", names=["label", "text"])
reviews.sample(3)
# %%
reviews.text.str.split().str.len().describe()
# %%
vectorizer = TfidfVectorizer(min_df=1, ngram_range=(1, 2))
vectors = vectorizer.fit_transform(reviews.text)
print(vectors.shape)
# %%
sorted(vectorizer.vocabulary_)[:8]
# %%
reviews["length"] = reviews.text.str.len()
X, y = shuffle(vectors, reviews.label.to_numpy())
cut = 14
# %%
model = SGDClassifier(loss="log_loss", penalty="l2", alpha=1e-4)
# %%
%%track sentiment
from sklearn.metrics import log_loss

for epoch in range(12):
    model.partial_fit(X[:cut], y[:cut], classes=[0, 1])
    train_loss = log_loss(y[:cut], model.predict_proba(X[:cut]), labels=[0, 1])
    test_acc = model.score(X[cut:], y[cut:])
    print("epoch", epoch, "loss", train_loss)
